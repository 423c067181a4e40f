import type {
  ApprovalHandle,
  ApprovalView,
  RedeemedApproval,
  StartedApproval,
  StartRequest,
} from '../approval/approvals-types.js'
import type { ApprovalChannel } from '../approval/channel.js'
import type { JsonObject } from '../approval/json.js'
import { ApprovalNotFoundError, ApprovalNotRedeemableError, ConfigurationError } from '../errors.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { CallerTokens } from './approval-token.js'
import { answerJson, answerRedirect, answerRefusal } from './http-answer.js'
import { isSafeMethod, wantsHtml, type HttpRequest, type HttpResponse, type Next } from './http-request.js'
import type { RequireApprovalSettings } from './require-approval-options.js'
import { dropForm, formOf, storeForm } from './resubmit-form.js'
import { isSameOrigin } from './same-origin.js'
import { dropApproval, hasSession, holdApproval, readSession, saveIfCurrent } from './session.js'
import { ended, foreignToken, Refused, refusedFor } from './transaction-refusals.js'

// As long as a decided approval can still be redeemed, and a little more.
const AFTERWARDS_MS = 120_000
const RETRY_AFTER_SECONDS = 2

const wrongMethod = { status: 405, title: 'What has to be approved is sent with POST, PUT, PATCH or DELETE' }
const signInFirst = (): Refused => new Refused({ status: 401, title: 'Sign in first' })

/** What one request wants. */
interface Wish {
  readonly subject: string
  readonly bound: JsonObject
  /** Where the session keeps the approval; one transaction of a purpose waits at a time. */
  readonly key: string
}

/** @internal What `requireApproval` does with one request: answers it, or gives the approval with which it goes on. */
export class Transaction {
  readonly #settings: RequireApprovalSettings
  readonly #runtime: Runtime
  readonly #tokens: CallerTokens

  constructor(settings: RequireApprovalSettings) {
    this.#settings = settings
    this.#runtime = resolveRuntime(settings.runtime)
    this.#tokens = new CallerTokens(settings.state)
  }

  async handle(req: HttpRequest, res: HttpResponse, next: Next): Promise<RedeemedApproval | undefined> {
    try {
      return await this.#decide(req, res)
    } catch (error) {
      const refused = refusedFor(error)
      if (!refused) throw error
      for (const [name, value] of Object.entries(refused.headers)) res.setHeader(name, value)
      await answerRefusal(refused.problem, { req, res, next }, this.#settings.onRefused)
      return undefined
    }
  }

  async #decide(req: HttpRequest, res: HttpResponse): Promise<RedeemedApproval | undefined> {
    if (isSafeMethod(req)) throw new Refused(wrongMethod, { Allow: 'POST' })
    if (!isSameOrigin(req)) throw new Refused({ status: 403, title: 'The request came from another site' })
    const subject = req.user === undefined || req.user === null ? undefined : this.#settings.subject(req.user, req)
    if (subject === undefined) throw signInFirst()
    const wish = { subject, bound: await this.#settings.bind(req), key: this.#keyOf(subject) }
    return wantsHtml(req) ? this.#browser(req, res, wish) : this.#caller(req, res, wish)
  }

  async #browser(req: HttpRequest, res: HttpResponse, wish: Wish): Promise<RedeemedApproval | undefined> {
    const held = readSession(req).approvals?.find(({ key }) => key === wish.key)
    const view = held && (await this.#look(held))
    if (!held || !view || isOpen(view)) return this.#askBrowser(req, res, wish, held)
    if (view.status !== 'approved') {
      // Reported once. Only what the person does next asks again.
      await this.#forget(req, held)
      if (this.#settings.deniedPath !== undefined && view.status !== 'redeemed') {
        answerRedirect(res, this.#settings.deniedPath.replaceAll(':id', view.id))
        return
      }
      throw ended(view)
    }
    try {
      const approval = await this.#redeem(held, wish)
      await this.#forget(req, held)
      return approval
    } catch (error) {
      // Something else is to be done than was approved: that has to be approved, too.
      if (isMismatch(error)) return this.#askBrowser(req, res, wish, undefined)
      throw error
    }
  }

  async #askBrowser(
    req: HttpRequest,
    res: HttpResponse,
    wish: Wish,
    previous: ApprovalHandle | undefined,
  ): Promise<undefined> {
    const form = formOf(req)
    if (!form) throw new Refused({ status: 413, title: 'The form is too large to wait for an approval' })
    const started = await this.#start(req, wish, previous)
    await storeForm(this.#settings.state, started.id, form, this.#lifetimeOf(started))
    const { id, secret } = started
    const isHeld = await saveIfCurrent(req, () => {
      holdApproval(req, { id, secret, key: wish.key })
    })
    if (!isHeld) {
      // Signed out in another tab while the provider took the question: nobody is left to collect the answer.
      await this.#settings.approvals.cancel({ id, secret })
      await dropForm(this.#settings.state, id)
      throw signInFirst()
    }
    answerRedirect(res, this.#locationOf(started))
  }

  async #caller(req: HttpRequest, res: HttpResponse, wish: Wish): Promise<RedeemedApproval | undefined> {
    const caller = await this.#callerOf(req)
    const handle = await this.#tokens.read(req, caller)
    if (handle === 'foreign') throw foreignToken()
    if (handle === undefined) {
      const started = await this.#start(req, wish, undefined)
      const token = await this.#tokens.issue(started, caller, this.#lifetimeOf(started))
      this.#accepted(res, started, token)
      return
    }
    const view = await this.#look(handle)
    if (!view) throw foreignToken()
    if (isOpen(view)) {
      this.#accepted(res, view, `${handle.id}.${handle.secret}`)
      return
    }
    if (view.status !== 'approved') throw ended(view)
    return this.#redeem(handle, wish)
  }

  async #start(req: HttpRequest, wish: Wish, previous: ApprovalHandle | undefined): Promise<StartedApproval> {
    const { approvals, purpose, message, details, recipients, reference, rule, vetoes, ttlSeconds } = this.#settings
    const asked = await recipients?.(wish.bound, wish.subject)
    const own = await reference?.(wish.subject)
    if (asked === undefined && (own === undefined || own === null || own === '')) {
      throw new Refused({ status: 403, title: 'This factor is not set up', error: 'not_enrolled' })
    }
    const request: StartRequest = {
      channel: await this.#channelOf(req),
      subject: wish.subject,
      purpose,
      bound: wish.bound,
      message: message(wish.bound),
      ...(details && { details: details(wish.bound) }),
      ...(asked && { recipients: asked }),
      ...(own !== undefined && own !== null && { reference: String(own) }),
      ...(rule !== undefined && { rule }),
      ...(vetoes !== undefined && { vetoes }),
      ...(ttlSeconds !== undefined && { ttlSeconds }),
      ...(previous && { previous }),
    }
    return approvals.start(request)
  }

  async #channelOf(req: HttpRequest): Promise<string | ApprovalChannel> {
    const { channel, approvals } = this.#settings
    const chosen = typeof channel === 'function' ? await channel(req) : channel
    const known = typeof chosen === 'string' ? approvals.channels.get(chosen) : chosen
    if (known?.showsMessage === false) {
      throw new ConfigurationError(`requireApproval: channel '${known.name}' can't show what is approved`)
    }
    return chosen
  }

  async #redeem(handle: ApprovalHandle, { subject, bound }: Wish): Promise<RedeemedApproval> {
    const { approvals, purpose } = this.#settings
    return approvals.redeem({ id: handle.id, secret: handle.secret, subject, purpose, bound })
  }

  async #look(handle: ApprovalHandle): Promise<ApprovalView | undefined> {
    try {
      return await this.#settings.approvals.status(handle)
    } catch (error) {
      if (error instanceof ApprovalNotFoundError) return undefined
      throw error
    }
  }

  async #forget(req: HttpRequest, handle: ApprovalHandle): Promise<void> {
    await saveIfCurrent(req, () => {
      dropApproval(req, handle.id)
    })
    await dropForm(this.#settings.state, handle.id)
  }

  async #callerOf(req: HttpRequest): Promise<string> {
    const { caller } = this.#settings
    const sessionId: unknown = hasSession(req) ? Reflect.get(req, 'sessionID') : undefined
    const id = caller ? await caller(req) : sessionId
    if (typeof id === 'string' && id !== '') return id
    throw new ConfigurationError(
      "requireApproval: this caller has neither a session nor a 'caller' to bind the token to; give option caller, such as the jti of the access token",
    )
  }

  #accepted(res: HttpResponse, view: ApprovalView, token: string): void {
    const { id, expiresAt, message, code } = view
    res.setHeader('Location', this.#locationOf(view))
    res.setHeader('Retry-After', RETRY_AFTER_SECONDS)
    answerJson(res, 202, {
      id,
      status: 'pending',
      message,
      expiresAt: expiresAt.toISOString(),
      ...(code === undefined ? {} : { code }),
      approval_token: token,
    })
  }

  #locationOf(view: ApprovalView): string {
    return this.#settings.waitingPath.replaceAll(':id', view.id)
  }

  #lifetimeOf(view: ApprovalView): number {
    return Math.max(1, view.expiresAt.getTime() - this.#runtime.now()) + AFTERWARDS_MS
  }

  #keyOf(subject: string): string {
    return JSON.stringify(['transaction', this.#settings.purpose, subject])
  }
}

function isOpen(view: ApprovalView): boolean {
  return view.status === 'starting' || view.status === 'pending'
}

function isMismatch(error: unknown): boolean {
  return error instanceof ApprovalNotRedeemableError && error.reason === 'binding'
}
