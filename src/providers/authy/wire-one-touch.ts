import { z } from 'zod'
import { count, date, maybe, text, wireId } from './wire.js'

const wireUuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)

export const createApprovalReply = z
  .object({ approval_request: z.object({ uuid: wireUuid }) })
  .transform(({ approval_request }) => ({ uuid: approval_request.uuid }))

/** The four states of a request. Another word is no state: it is an error. */
export const approvalStatus = z.enum(['pending', 'approved', 'denied', 'expired'])

export const readApprovalReply = z
  .object({
    approval_request: z.object({
      uuid: wireUuid,
      status: approvalStatus,
      _authy_id: wireId,
      _id: maybe(text),
      _app_name: maybe(text),
      _app_serial_id: maybe(z.int()),
      _user_email: maybe(text),
      app_id: maybe(text),
      user_id: maybe(text),
      notified: maybe(z.boolean()),
      seconds_to_expire: maybe(count),
      created_at: date,
      updated_at: maybe(date),
      processed_at: maybe(date),
    }),
  })
  .transform(({ approval_request: wire }) => ({
    uuid: wire.uuid,
    status: wire.status,
    authyId: wire._authy_id,
    createdAt: wire.created_at,
    updatedAt: wire.updated_at,
    /** When the person answered, or when it was noticed that nobody did. Undefined while pending. */
    processedAt: wire.processed_at,
    secondsToExpire: wire.seconds_to_expire,
    id: wire._id,
    appId: wire.app_id,
    appName: wire._app_name,
    appSerialId: wire._app_serial_id,
    userId: wire.user_id,
    userEmail: wire._user_email,
    /** Not proof that a callback was delivered. */
    notified: wire.notified,
  }))
