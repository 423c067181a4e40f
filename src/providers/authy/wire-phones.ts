import { z } from 'zod'
import { count, maybe, text } from './wire.js'

export const startVerificationReply = z
  .object({
    message: text,
    carrier: maybe(text),
    is_cellphone: maybe(z.boolean()),
    is_ported: maybe(z.boolean()),
    seconds_to_expire: maybe(count),
    uuid: maybe(text),
    sms_id: maybe(text),
  })
  .transform((reply) => ({
    message: reply.message,
    carrier: reply.carrier,
    isCellphone: reply.is_cellphone,
    isPorted: reply.is_ported,
    secondsToExpire: reply.seconds_to_expire,
    uuid: reply.uuid,
    smsId: reply.sms_id,
  }))

export const checkVerificationReply = z.object({ message: z.literal('Verification code is correct.') })

export const verificationStatusReply = z
  .object({
    status: z.enum(['pending', 'verified', 'expired']),
    seconds_to_expire: maybe(z.int()),
    message: maybe(text),
  })
  .transform(({ status, seconds_to_expire, message }) => ({ status, secondsToExpire: seconds_to_expire, message }))

/** A kind of line that we haven't heard of is an unknown one. */
const lineType = z.enum(['voip', 'landline', 'cellphone', 'unknown']).catch('unknown')

export const phoneInfoReply = z
  .object({ message: maybe(text), type: text, provider: maybe(text), ported: maybe(z.boolean()) })
  .transform((reply) => ({
    ...reply,
    type: lineType.parse(reply.type),
  }))
