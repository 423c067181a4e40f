import { z } from 'zod'
import type { HttpQuery } from '../http.js'
import {
  flagInput,
  ipInput,
  localeInput,
  signalInput,
  text,
  type RequesterOptions,
  type MethodOptions,
} from './input.js'

/** How a code is to be sent by voice. */
export interface CallRequest extends RequesterOptions {
  /** Sends it even if the person has the app. Default false: then the person gets a push instead, and `ignored` is true. */
  readonly force?: boolean | undefined
  /** Binds the code to this action: only `tokens.verify` with the same action accepts it. 1 to 255 characters. */
  readonly action?: string | undefined
  /** Shown or spoken with the code. 1 to 255 characters. */
  readonly actionMessage?: string | undefined
  /** Language of the message, such as `pt-BR`. */
  readonly locale?: string | undefined
}

/** How a code is to be sent by SMS. */
export interface SmsRequest extends CallRequest {
  /** From a short code (United States and Canada). */
  readonly shortcode?: boolean | undefined
}

/** Something that happened to a user's account with you. */
export interface Activity extends RequesterOptions {
  readonly type: 'password_reset' | 'banned' | 'unbanned' | 'cookie_login'
  readonly data?: Readonly<Record<string, string>> | undefined
}

const callInput = {
  force: flagInput.optional(),
  action: text(1, 255).optional(),
  actionMessage: text(1, 255).optional(),
  locale: localeInput.optional(),
  ip: ipInput.optional(),
  signal: signalInput,
}
const callSchema: z.ZodType<SmsRequest & MethodOptions> = z.strictObject(callInput)
const smsSchema: z.ZodType<SmsRequest & MethodOptions> = z.strictObject({
  ...callInput,
  shortcode: flagInput.optional(),
})

/** What may be asked of a code sent over this way. */
export function codeInputOf(via: 'sms' | 'call'): z.ZodType<SmsRequest & MethodOptions> {
  return via === 'sms' ? smsSchema : callSchema
}

/** Under the service's names. False is left out, as the service's default is. */
export function codeQuery(request: SmsRequest): HttpQuery {
  return {
    action: request.action,
    action_message: request.actionMessage,
    force: request.force ? true : undefined,
    locale: request.locale,
    shortcode: request.shortcode ? true : undefined,
    user_ip: request.ip,
  }
}

export const activityInput = z.strictObject({
  type: z.enum(['password_reset', 'banned', 'unbanned', 'cookie_login']),
  data: z.record(z.string(), z.string(), { error: 'give an object of texts' }).optional(),
  ip: ipInput.optional(),
  signal: signalInput,
})
