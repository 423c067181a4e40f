import { SignJWT } from 'jose'
import { z } from 'zod'
import { encodePath } from '../http.js'
import type { AuthyApi } from './api.js'
import {
  callSignal,
  parseField,
  parseInput,
  signalInput,
  text,
  userArguments,
  type AuthyId,
  type MethodOptions,
} from './input.js'
import { phoneExportReply, qrReply, registrationReply, secretReply } from './wire-users.js'

/** How the picture of `generateQr` looks. */
export interface QrOptions extends MethodOptions {
  /** Width and height in pixels. */
  readonly qrSize?: number | undefined
  /** Text beside the issuer in the app. */
  readonly label?: string | undefined
}

/** Whom a registration by QR code is for, and in which application. */
export interface RegistrationInput {
  /** Your own id of the person. The device that scans the code will belong to it. */
  readonly customUserId: string
  /** The application's id at the service: `app.details()` tells it. */
  readonly appId: string | number
  /** The application's name at the service. */
  readonly appName: string
  /** Life of the code in seconds, 1 to 3600. Default 300. */
  readonly ttlSeconds?: number | undefined
}

/** A code to be scanned with the Authy app. Whoever scans it first owns the device: show it to the signed-in person only, once. */
export interface Registration {
  readonly token: string
  /** The text of the QR code. */
  readonly url: string
  readonly expiresAt: Date
}

/** A picture that holds a new secret of the user. */
export type QrCode = z.output<typeof qrReply>
/** How far a registration by QR code has come. */
export type RegistrationStatus =
  { readonly status: 'completed'; readonly authyId: string } | { readonly status: 'pending' }
/** The secret of the user's codes, for another authenticator. */
export type ExportedSecret = z.output<typeof secretReply>
/** The user's phone number, unmasked. */
export type ExportedPhone = z.output<typeof phoneExportReply>

const customUserIdInput = text(1, 255)
const qrInput = z.strictObject({
  qrSize: z.int().min(1).max(4096).optional(),
  label: text(1, 255).optional(),
  signal: signalInput,
})
const registrationInput = z.strictObject({
  customUserId: customUserIdInput,
  appId: z.union([z.int().positive(), text(1, 64)], { error: 'give the id of the application' }).transform(String),
  appName: text(1, 100),
  ttlSeconds: z.int().min(1).max(3600).optional(),
})
const nothing = z.strictObject({ signal: signalInput })

/** The part of `client.users` that brings devices in and takes secrets out. */
export class AuthyEnrolment {
  readonly #api: AuthyApi
  readonly #apiKey: string
  readonly #now: () => number

  /** @internal */
  constructor(api: AuthyApi, apiKey: string, now: () => number) {
    this.#api = api
    this.#apiKey = apiKey
    this.#now = now
  }

  /** Makes a secret for another authenticator app. The picture behind `qrCode` holds it: hand the URL to that person only, and log it nowhere. */
  async generateQr(authyId: AuthyId, options: QrOptions = {}, call: MethodOptions = {}): Promise<QrCode> {
    const operation = 'users.generateQr'
    const { id, given, ...rest } = userArguments(operation, qrInput, [authyId, options, call])
    const path = encodePath`/protected/json/users/${{ authyId: id }}/secret`
    const label = '/protected/json/users/{id}/secret'
    const json = {
      ...(given.label !== undefined && { label: given.label }),
      ...(given.qrSize !== undefined && { qr_size: given.qrSize }),
    }
    return this.#api.call({ operation, method: 'POST', path, label, json, reply: qrReply }, rest.call)
  }

  /** Makes the code that a person without phone or e-mail scans with the Authy app. Nothing is sent; poll {@link AuthyEnrolment.registrationStatus}. */
  async createRegistration(registration: RegistrationInput): Promise<Registration> {
    const { customUserId, appId, appName, ttlSeconds } = parseInput(
      registrationInput,
      registration,
      'users.createRegistration',
    )
    const issuedAt = Math.floor(this.#now() / 1000)
    const expiresAt = issuedAt + (ttlSeconds ?? 300)
    const token = await new SignJWT({ context: { custom_user_id: customUserId, authy_app_id: appId } })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(appName)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      // The key is the API key as text, not what its digits might encode.
      .sign(new TextEncoder().encode(this.#apiKey))
    return { token, url: `authy://account?token=${token}`, expiresAt: new Date(expiresAt * 1000) }
  }

  /** Asks whether the code of {@link AuthyEnrolment.createRegistration} was scanned. Not found means: not yet. */
  async registrationStatus(customUserId: string, call: MethodOptions = {}): Promise<RegistrationStatus> {
    const operation = 'users.registrationStatus'
    const id = parseField('customUserId', customUserIdInput, customUserId, operation)
    const path = '/protected/json/registrations/status'
    const { registration } = await this.#api.call<z.output<typeof registrationReply>>(
      {
        operation,
        method: 'GET',
        path,
        label: path,
        query: { custom_user_id: id },
        reply: registrationReply,
        repeatable: true,
        normal: ({ status }) => (status === 404 ? { registration: { status: 'pending' } } : undefined),
      },
      callSignal(operation, call),
    )
    return registration.status === 'pending' ? registration : { status: 'completed', authyId: registration.authy_id }
  }

  /** Reads the secret of a user's codes, for moving to another authenticator. Only where the service's support has switched it on. */
  async exportSecret(authyId: AuthyId, call: MethodOptions = {}): Promise<ExportedSecret> {
    const operation = 'users.exportSecret'
    const args = userArguments(operation, nothing, [authyId, {}, call])
    const path = encodePath`/protected/json/users/${{ authyId: args.id }}/secret/export`
    const label = '/protected/json/users/{id}/secret/export'
    return this.#api.call({ operation, method: 'GET', path, label, reply: secretReply, repeatable: true }, args.call)
  }

  /** Reads a user's whole phone number, for moving away. Only where the service's support has switched it on. */
  async exportPhoneNumber(authyId: AuthyId, call: MethodOptions = {}): Promise<ExportedPhone> {
    const operation = 'users.exportPhoneNumber'
    const args = userArguments(operation, nothing, [authyId, {}, call])
    const path = encodePath`/protected/json/users/${{ authyId: args.id }}/phone_number`
    const label = '/protected/json/users/{id}/phone_number'
    const request = { operation, method: 'GET', path, label, reply: phoneExportReply, repeatable: true } as const
    return this.#api.call({ ...request, withoutSuccess: true }, args.call)
  }
}
