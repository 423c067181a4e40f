import { z } from 'zod'
import { epochSeconds, maybe, text } from './wire.js'

/** The device is news, not evidence: what can't be read of it is left out, and keeps nobody from signing in. */
const news = <S extends z.ZodType>(schema: S) =>
  schema
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined)
const verifyDevice = z
  .object({
    id: news(z.union([z.int(), text])),
    os_type: news(text),
    registration_date: news(epochSeconds),
    registration_method: news(text),
    last_sync_date: news(epochSeconds),
    country: news(text),
    city: news(text),
    ip: news(text),
  })
  .transform((device) => ({
    id: device.id === undefined ? undefined : String(device.id),
    osType: device.os_type,
    registrationDate: device.registration_date,
    registrationMethod: device.registration_method,
    lastSyncDate: device.last_sync_date,
    country: device.country,
    city: device.city,
    ip: device.ip,
  }))

export const verifyReply = z.object({ token: z.literal('is valid'), message: maybe(text), device: news(verifyDevice) })
