import { z } from 'zod'
import type { ApprovalRule, Approvals } from '../approval/approvals-types.js'
import type { ApprovalChannel, Recipient } from '../approval/channel.js'
import type { JsonObject } from '../approval/json.js'
import type { StateStore } from '../approval/state-store.js'
import { functionOption, objectWith, runtimeOption } from '../options.js'
import type { Runtime } from '../runtime.js'
import type { OnRefused } from './http-answer.js'
import { defaultSubject, type FromRequest, type OfUser } from './http-request.js'

type Later<T> = T | Promise<T>

/** What {@link requireApproval} takes. */
export interface RequireApprovalOptions {
  readonly approvals: Approvals
  /** Keeps what a waiting request needs: the store that `createApprovals` was given. */
  readonly state: StateStore
  /** A channel of `approvals`, its name, or a function that says which one this person uses. It must be able to show the message. */
  readonly channel: string | ApprovalChannel | FromRequest<Later<string | ApprovalChannel>>
  /** The application's name of the transaction, such as `transfer`. Not `login` or `step-up`. */
  readonly purpose: string
  /** What is approved: plain JSON (strings, integers, booleans) of everything in the request that matters. Asked again at execution, and compared. */
  readonly bind: FromRequest<Later<JsonObject>>
  /** What the person reads, made of what is bound and nothing else: 1 to 200 characters. */
  readonly message: (bound: JsonObject) => string
  /** Shown beside the message where the provider can, made of what is bound as well. */
  readonly details?: ((bound: JsonObject) => Readonly<Record<string, string>>) | undefined
  /** The provider's id of the subject; nothing for one who has not enrolled. Needed unless `recipients` are given; with them it keeps the requester's aliases out. */
  readonly reference?: ((subject: string) => Later<string | number | null | undefined>) | undefined
  /** Who is asked instead of the subject: distinct people, without the requester. */
  readonly recipients?: ((bound: JsonObject, subject: string) => Later<readonly Recipient[]>) | undefined
  /** How many of them must approve. Default `all`. */
  readonly rule?: ApprovalRule | undefined
  /** One denial ends it. Default false. */
  readonly vetoes?: boolean | undefined
  /** Seconds that the question stays open: 30 to 600. */
  readonly ttlSeconds?: number | undefined
  /** The waiting page: a path on this site, in which `:id` stands for the approval's id. */
  readonly waitingPath: string
  /** Where a browser goes whose request was denied, or not answered in time. Default: a plain answer with status 403. */
  readonly deniedPath?: string | undefined
  /**
   * Answers a browser that is refused with a page, such as `(refusal, req, res) => res.render('refused', { refusal })`; the
   * status is set already, and `Retry-After` of a 429. Not called where `deniedPath` leads elsewhere. Default: the problem as JSON.
   */
  readonly onRefused?: OnRefused | undefined
  /** The application's own user id. Default `user.id`. */
  readonly subject?: OfUser<string | undefined> | undefined
  /** What an API caller's token is bound to: the `jti` of their access token. Default: the session. */
  readonly caller?: FromRequest<Later<string | undefined>> | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

const sitePath = z.string().regex(/^\/(?![/\\])[^\s\\]*$/, 'give a path on this site, such as /approvals/:id')

/** @internal */
export const requireApprovalOptions = z.strictObject({
  approvals: objectWith<Approvals>(['start', 'status', 'redeem'], 'give what createApprovals made'),
  state: objectWith<StateStore>(['get', 'put', 'delete'], 'give a state store'),
  channel: z.union([
    z.string().min(1),
    objectWith<ApprovalChannel>(['start', 'check'], 'give a channel'),
    functionOption<FromRequest<Later<string | ApprovalChannel>>>(),
  ]),
  purpose: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._:-]{0,63}$/, 'give a name of a-z 0-9 . _ : -')
    .refine((name) => name !== 'login' && name !== 'step-up', 'login and step-up are no transactions; name your own'),
  bind: functionOption<RequireApprovalOptions['bind']>(),
  message: functionOption<RequireApprovalOptions['message']>('give a function of what is bound'),
  details: functionOption<NonNullable<RequireApprovalOptions['details']>>().optional(),
  reference: functionOption<NonNullable<RequireApprovalOptions['reference']>>().optional(),
  recipients: functionOption<NonNullable<RequireApprovalOptions['recipients']>>().optional(),
  rule: z.union([z.enum(['any', 'all']), z.strictObject({ atLeast: z.int().min(1).max(20) })]).optional(),
  vetoes: z.boolean().optional(),
  ttlSeconds: z.int().min(30).max(600).optional(),
  waitingPath: sitePath,
  deniedPath: sitePath.optional(),
  onRefused: functionOption<OnRefused>().optional(),
  subject: functionOption<OfUser<string | undefined>>().default(() => defaultSubject),
  caller: functionOption<NonNullable<RequireApprovalOptions['caller']>>().optional(),
  runtime: runtimeOption,
})

/** @internal */
export type RequireApprovalSettings = z.output<typeof requireApprovalOptions>
