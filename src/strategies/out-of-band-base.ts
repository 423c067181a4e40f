import { z } from 'zod'
import type {
  ApprovalHandle,
  Approvals,
  ApprovalView,
  RedeemedApproval,
  StartedApproval,
} from '../approval/approvals-types.js'
import type { ApprovalChannel, Recipient } from '../approval/channel.js'
import { ApprovalLimitedError, ApprovalNotFoundError, ApprovalNotRedeemableError } from '../errors.js'
import { isSafeMethod } from '../middleware/http-request.js'
import {
  dropApproval,
  hasPassportUser,
  holdApproval,
  readSession,
  regenerateSession,
  saveIfCurrent,
  saveSession,
  type HeldApproval,
} from '../middleware/session.js'
import { functionOption, objectWith, parseOptions } from '../options.js'
import { FactorStrategy, factorStrategyShape, type FactorStrategyOptions } from './factor-strategy.js'
import type { Login, SubjectOf } from './factor-login.js'
import type { FromStrategyRequest, OfSubject, StrategyRequest } from './passport.js'
import { answerPending, pendingInfo } from './pending.js'
import type { VerifyFunction, VerifyWithRequest } from './verify.js'

// Long enough for one look at the provider to begin.
const LOOK_MS = 500

type Details = Readonly<Record<string, string>>

/** What `OutOfBandStrategy` takes. */
export interface OutOfBandStrategyOptions extends Omit<FactorStrategyOptions, 'subject'> {
  readonly approvals: Approvals
  /** A channel of `approvals`, or its name. */
  readonly channel: string | ApprovalChannel
  /**
   * Whose login it is: the application's own user id, or that together with the provider's id of the person. Left out: the
   * login that waits for its second factor, or the user who is logged in (step-up).
   */
  readonly subject?: FromStrategyRequest<NamedSubject | Promise<NamedSubject>> | undefined
  /** The provider's id of a subject; nothing for one who has not enrolled. Needed unless `subject` gives it. */
  readonly reference?: OfSubject<string | number | undefined | null> | undefined
  /** What the person reads on the device: 1 to 200 characters. */
  readonly message: string | OfSubject<string>
  /** Shown beside the message where the provider can: place, browser, time. */
  readonly details?: Details | OfSubject<Details> | undefined
  /** The waiting page: a path on this site, in which `:id` stands for the approval's id. */
  readonly waitingPath: string
  /** Seconds that the question stays open: 30 to 600. Default is that of the policy of `approvals`. */
  readonly ttlSeconds?: number | undefined
  /**
   * What happens while the person hasn't decided. `respond` (default): 303 to the waiting page for browsers, 202 with JSON
   * for API callers. `callback`: `fail({ pending }, 202)`, for a custom callback of `passport.authenticate`.
   */
  readonly onPending?: 'respond' | 'callback' | undefined
}

type NamedSubject = string | Recipient | undefined | null | false

const optionsSchema = z.strictObject({
  ...factorStrategyShape,
  subject: functionOption<NonNullable<OutOfBandStrategyOptions['subject']>>().optional(),
  approvals: objectWith<Approvals>(['start', 'status', 'wait', 'redeem'], 'give what createApprovals made'),
  channel: z.union([z.string().min(1), objectWith<ApprovalChannel>(['start', 'check'], 'give a channel')]),
  reference: functionOption<OfSubject<string | number | undefined | null>>().optional(),
  message: z.union([z.string().min(1).max(200), functionOption<OfSubject<string>>()]),
  details: z.union([z.record(z.string(), z.string()), functionOption<OfSubject<Details>>()]).default({}),
  waitingPath: z
    .string()
    .regex(/^\/(?![/\\])[^\s\\]*$/, 'give a path on this site, such as /login/wait or /login/wait/:id'),
  ttlSeconds: z.number().int().min(30).max(600).optional(),
  onPending: z.enum(['respond', 'callback']).default('respond'),
})

/** What all out-of-band strategies do. See `OutOfBandStrategy`. */
export abstract class OutOfBandBase extends FactorStrategy {
  private readonly settings: z.output<typeof optionsSchema>
  private readonly channelName: string

  protected constructor(
    name: string | undefined,
    options: OutOfBandStrategyOptions,
    verify: VerifyFunction | VerifyWithRequest,
  ) {
    const settings = parseOptions(optionsSchema, options, new.target.name)
    const channelName = typeof settings.channel === 'string' ? settings.channel : settings.channel.name
    super(name ?? channelName, { ...settings, subject: settings.subject && subjectOnly(settings.subject) }, verify)
    this.settings = settings
    this.channelName = channelName
  }

  protected override async decide(req: StrategyRequest): Promise<void> {
    const login = await this.logins.find(req)
    if (login === undefined) {
      this.fail({ message: 'Sign in first', reason: 'no-subject' }, 401)
      return
    }
    const held = readSession(req).approvals?.find(({ key }) => key === this.keyOf(login))
    const view = held && (await this.look(held))
    if (held !== undefined && view !== undefined) return this.goOn(req, login, held, view)
    if (!isSafeMethod(req)) return this.begin(req, login, held)
    this.fail({ message: 'Nothing is waiting to be approved', reason: 'not-started' }, 401)
  }

  private async look(held: ApprovalHandle): Promise<ApprovalView | undefined> {
    try {
      return await this.settings.approvals.status(held)
    } catch (error) {
      if (error instanceof ApprovalNotFoundError) return undefined
      throw error
    }
  }

  private async goOn(req: StrategyRequest, login: Login, held: HeldApproval, view: ApprovalView): Promise<void> {
    if (view.status === 'starting' || view.status === 'pending') {
      // Who asks again instead of waiting is a waiter too: the provider is asked, if that is due, for the next time.
      this.settings.approvals.wait(held, { timeoutMs: LOOK_MS }).catch(() => undefined)
      this.pending(req, view)
      return
    }
    if (view.status === 'approved') return this.redeem(req, login, held)
    return this.ended(req, login, held, view.status)
  }

  private async redeem(req: StrategyRequest, login: Login, held: HeldApproval): Promise<void> {
    let redeemed: RedeemedApproval
    try {
      const { subject } = login
      redeemed = await this.settings.approvals.redeem({ ...held, subject, purpose: purposeOf(login) })
    } catch (error) {
      if (error instanceof ApprovalNotRedeemableError) return this.ended(req, login, held, error.reason)
      throw error
    }
    const { factor, amr, proof, decidedAt, id, release } = redeemed
    await this.proved(req, login, { factor, amr, proof, at: decidedAt, approvalId: id }, release)
  }

  private async ended(req: StrategyRequest, login: Login, held: HeldApproval, reason: string): Promise<void> {
    // Reported once: what the person does next may start another question, but nothing does by itself.
    await saveIfCurrent(req, () => {
      dropApproval(req, held.id)
    })
    this.logins.record(login, this.channelName, 'failed', reason)
    this.fail({ message: endings.get(reason) ?? 'The question was not approved', reason }, 401)
  }

  private async begin(req: StrategyRequest, login: Login, previous: HeldApproval | undefined): Promise<void> {
    const reference = await this.referenceOf(req, login)
    if (reference === undefined) {
      this.logins.record(login, this.channelName, 'failed', 'not-enrolled')
      this.fail({ message: 'This factor is not set up', reason: 'not-enrolled' }, 401)
      return
    }
    const { message, details, ttlSeconds, approvals, channel } = this.settings
    try {
      const started = await approvals.start({
        channel,
        subject: login.subject,
        reference,
        purpose: purposeOf(login),
        message: typeof message === 'string' ? message : await message(login.subject, req),
        details: typeof details === 'function' ? await details(login.subject, req) : details,
        ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
        ...(previous === undefined ? {} : { previous }),
      })
      await this.hold(req, login, started)
    } catch (error) {
      if (!(error instanceof ApprovalLimitedError)) throw error
      const { reason, retryAfterSeconds } = error
      this.logins.record(login, this.channelName, 'limited', reason)
      this.refuse(req, { reason, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) })
    }
  }

  /** Remembers the question in the session, and answers. */
  private async hold(req: StrategyRequest, login: Login, started: StartedApproval): Promise<void> {
    const { id, secret } = started
    const remember = (): void => {
      holdApproval(req, { id, secret, key: this.keyOf(login) })
    }
    if (login.phase === 'first' && !hasPassportUser(req)) {
      // A session that somebody else may have planted must not be the one that collects the answer.
      await regenerateSession(req, this.settings.keep, {})
      remember()
      await saveSession(req)
    } else if (!(await saveIfCurrent(req, remember))) {
      await this.settings.approvals.cancel({ id, secret })
      this.fail({ message: 'The login has ended', reason: 'login-ended' }, 401)
      return
    }
    this.pending(req, started)
  }

  private pending(req: StrategyRequest, view: ApprovalView): void {
    const location = this.settings.waitingPath.replaceAll(':id', view.id)
    if (this.settings.onPending === 'callback') {
      this.fail({ pending: pendingInfo(view, location) }, 202)
      return
    }
    const answer = answerPending(req, view, location)
    if (answer === 'redirect') this.redirect(location, 303)
    else if (answer === 'unanswered') this.fail({ pending: pendingInfo(view, location) }, 202)
  }

  private async referenceOf(req: StrategyRequest, login: Login): Promise<string | undefined> {
    const named = this.settings.subject && (await this.settings.subject(req))
    const own = typeof named === 'object' && named !== null ? named : undefined
    const reference = own?.reference ?? (await this.settings.reference?.(login.subject, req))
    return reference === undefined || reference === null || reference === '' ? undefined : String(reference)
  }

  private keyOf(login: Login): string {
    return JSON.stringify([purposeOf(login), this.channelName, login.subject])
  }
}

const endings: ReadonlyMap<string, string> = new Map([
  ['denied', 'The request was denied on the device'],
  ['expired', 'The request was not answered in time'],
  ['cancelled', 'The request was withdrawn'],
  ['failed', 'The request could not be delivered'],
  ['redeemed', 'The request was used already'],
])

function purposeOf(login: Login): string {
  return login.phase === 'step-up' ? 'step-up' : 'login'
}

function subjectOnly(subject: NonNullable<OutOfBandStrategyOptions['subject']>): SubjectOf {
  return async (req) => {
    const named = await subject(req)
    return typeof named === 'object' ? named?.subject : named
  }
}
