import { z } from 'zod'
import { date, epochSeconds, maybe, text, wireId } from './wire.js'

export const createUserReply = z
  .object({ message: maybe(text), user: z.object({ id: wireId }) })
  .transform(({ message, user }) => ({ authyId: user.id, message }))

const detailedDevice = z
  .object({
    device_id: z.union([z.int(), text]),
    device_type: maybe(text),
    os_type: maybe(text),
    registration_device_id: maybe(z.union([z.int(), text])),
    registration_method: maybe(text),
    last_sync_date: maybe(epochSeconds),
    creation_date: maybe(epochSeconds),
  })
  .transform((device) => ({
    deviceId: String(device.device_id),
    deviceType: device.device_type,
    osType: device.os_type,
    registrationDeviceId:
      device.registration_device_id === undefined ? undefined : String(device.registration_device_id),
    registrationMethod: device.registration_method,
    lastSyncDate: device.last_sync_date,
    creationDate: device.creation_date,
  }))

export const userStatusReply = z
  .object({
    message: maybe(text),
    status: z.object({
      authy_id: wireId,
      confirmed: z.boolean(),
      registered: z.boolean(),
      country_code: z.union([
        z.int(),
        z
          .string()
          .regex(/^[0-9]{1,4}$/)
          .transform(Number),
      ]),
      phone_number: text,
      email: maybe(text),
      devices: z.array(text),
      has_hard_token: z.boolean(),
      account_disabled: maybe(z.boolean()),
      detailed_devices: maybe(z.array(detailedDevice)),
      deleted_devices: maybe(z.array(z.unknown())),
    }),
  })
  .transform(({ status, message }) => ({
    authyId: status.authy_id,
    /** The person has entered a good token at least once. */
    confirmed: status.confirmed,
    /** The person has the Authy app on that phone. */
    registered: status.registered,
    countryCode: status.country_code,
    /** Masked: the last four digits. */
    phoneNumber: status.phone_number,
    email: status.email,
    devices: status.devices,
    hasHardToken: status.has_hard_token,
    accountDisabled: status.account_disabled,
    detailedDevices: status.detailed_devices ?? [],
    deletedDevices: status.deleted_devices ?? [],
    message,
  }))

export const messageReply = z.object({ message: maybe(text) })

export const sendReply = z
  .object({ message: text, cellphone: text, device: maybe(text), ignored: maybe(z.boolean()) })
  .transform(({ ignored, ...rest }) => ({
    ...rest,
    /** True if nothing was sent, because the person has the app and `force` was not given. */
    ignored: ignored ?? false,
  }))

export const emailReply = z
  .object({ message: maybe(text), email: text, email_id: maybe(text) })
  .transform(({ message, email, email_id }) => ({ message, email, emailId: email_id }))

export const qrReply = z
  .object({ qr_code: z.url({ protocol: /^https?$/ }), label: maybe(text), issuer: maybe(text) })
  .transform(({ qr_code, label, issuer }) => ({ qrCode: qr_code, label, issuer }))

export const registrationReply = z.object({
  registration: z.discriminatedUnion('status', [
    z.object({ status: z.literal('completed'), authy_id: wireId }),
    z.object({ status: z.literal('pending') }),
  ]),
})

export const secretReply = z.object({ secret: z.string().min(1), otp: maybe(text) })

export const phoneExportReply = z
  .object({
    phone_number: text,
    country_code: z.union([z.int().transform(String), text]),
    e164: z.string().regex(/^\+[1-9][0-9]{3,16}$/),
    updated_at: maybe(date),
  })
  .transform((reply) => ({
    phoneNumber: reply.phone_number,
    countryCode: reply.country_code,
    e164: reply.e164,
    updatedAt: reply.updated_at,
  }))
