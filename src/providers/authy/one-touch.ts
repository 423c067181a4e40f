import { z } from 'zod'
import { encodePath } from '../http.js'
import type { AuthyApi } from './api.js'
import {
  callSignal,
  parseField,
  signalInput,
  text,
  trimmedText,
  userArguments,
  uuidInput,
  type AuthyId,
  type MethodOptions,
} from './input.js'
import { createApprovalReply, readApprovalReply } from './wire-one-touch.js'

/** A picture beside the question. */
export interface Logo {
  readonly res: 'default' | 'low' | 'med' | 'high'
  /** Absolute `https:` or `http:` URL, 500 characters at most. */
  readonly url: string
}

/** A yes/no question to a user. */
export interface ApprovalRequestInput extends MethodOptions {
  /** 1 to 200 characters, blanks around it not counted. Longer ones are refused, not cut. */
  readonly message: string
  /** Shown beside the message. Names and values 1 to 200 characters; names beyond 20 may be cut on the screen. */
  readonly details?: Readonly<Record<string, string>> | undefined
  /** Comes back in the callback, not shown. Otherwise as `details`. */
  readonly hiddenDetails?: Readonly<Record<string, string>> | undefined
  /** 1 to 4, each resolution once, `default` among them. */
  readonly logos?: readonly Logo[] | undefined
  /** Life in seconds. Left out: a day. **0: never expires.** */
  readonly expiresInSeconds?: number | undefined
}

/** A question as the service holds it. Only `status` says whether it was approved. */
export type ApprovalRequest = z.output<typeof readApprovalReply>

const details = z.record(text(1, 200), text(1, 200), { error: 'give an object of texts' })
const logo = z.strictObject({
  res: z.enum(['default', 'low', 'med', 'high']),
  url: z.url({ protocol: /^https?$/, error: 'give an absolute http or https URL' }).max(500),
})
const logos = z
  .array(logo)
  .min(1)
  .max(4)
  .refine((list) => new Set(list.map(({ res }) => res)).size === list.length, { error: 'each resolution once only' })
  .refine((list) => list.some(({ res }) => res === 'default'), { error: "one of them must be the 'default'" })

/** Shared with the channel, which takes logos as an option. */
export const logosInput = logos

const createInput = z.strictObject({
  message: trimmedText(1, 200),
  details: details.optional(),
  hiddenDetails: details.optional(),
  logos: logos.optional(),
  expiresInSeconds: z.int({ error: 'give whole seconds' }).min(0).max(2_147_483_647).optional(),
  signal: signalInput,
})

/** `client.oneTouch`: questions pushed to a user's devices. */
export class AuthyOneTouch {
  readonly #api: AuthyApi

  /** @internal */
  constructor(api: AuthyApi) {
    this.#api = api
  }

  /**
   * Asks a user's devices to approve or deny. Resolves when the service has taken the question; it can't be withdrawn. Not
   * idempotent: if the outcome is unknown (a timeout), asking again shows a second question.
   */
  async createApprovalRequest(
    authyId: AuthyId,
    request: ApprovalRequestInput,
    call: MethodOptions = {},
  ): Promise<{ uuid: string }> {
    const operation = 'oneTouch.createApprovalRequest'
    const { id, given, ...rest } = userArguments(operation, createInput, [authyId, request, call])
    const json = {
      ...(given.details && { details: given.details }),
      ...(given.hiddenDetails && { hidden_details: given.hiddenDetails }),
      ...(given.logos && { logos: given.logos.map(({ res, url }) => ({ res, url })) }),
      message: given.message,
      ...(given.expiresInSeconds !== undefined && { seconds_to_expire: given.expiresInSeconds }),
    }
    const path = encodePath`/onetouch/json/users/${{ authyId: id }}/approval_requests`
    const label = '/onetouch/json/users/{id}/approval_requests'
    return this.#api.call({ operation, method: 'POST', path, label, json, reply: createApprovalReply }, rest.call)
  }

  /** Reads a question and its state. A state that isn't one of the four documented ones is an error. */
  async getApprovalRequest(uuid: string, call: MethodOptions = {}): Promise<ApprovalRequest> {
    const operation = 'oneTouch.getApprovalRequest'
    const asked = parseField('uuid', uuidInput, uuid, operation)
    const path = encodePath`/onetouch/json/approval_requests/${{ uuid: asked }}`
    const label = '/onetouch/json/approval_requests/{uuid}'
    const request = { operation, method: 'GET', path, label, reply: readApprovalReply, repeatable: true } as const
    const answer = await this.#api.call(request, callSignal(operation, call))
    if (answer.uuid.toLowerCase() !== asked.toLowerCase())
      throw this.#api.contradiction('the answer is about another approval request')
    return answer
  }
}
