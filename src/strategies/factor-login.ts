import type { ReleaseHandle } from '../approval/approvals-types.js'
import type { Assurance, Assurances } from '../approval/assurance.js'
import { publishFactorEvent } from '../approval/factor-events.js'
import { ConfigurationError } from '../errors.js'
import { carryAcrossLogin, hasSession, readSession, type SessionState } from '../middleware/session.js'
import type { Logger, Runtime } from '../runtime.js'
import type { FromStrategyRequest, StrategyRequest } from './passport.js'
import type { FactorProof } from './verify.js'

/** Who proves a factor, and what for. */
export interface Login {
  readonly subject: string
  /** `second`: a login that began with another factor; `step-up`: somebody who is logged in; `first`: nobody yet. */
  readonly phase: 'first' | 'second' | 'step-up'
  /** The login so far; none in the first phase, and none without `assurances`. */
  readonly assurance: Assurance | undefined
}

/** Finds the subject that the application names, if it names one. */
export type SubjectOf = FromStrategyRequest<MaybeSubject | Promise<MaybeSubject>>

type MaybeSubject = string | undefined | null | false

interface Settings {
  readonly assurances: Assurances | undefined
  readonly subjectOf: SubjectOf | undefined
  readonly keep: readonly string[]
  readonly runtime: Runtime
  readonly logger: Logger
}

/** What the proof of a factor did to the login. */
export type Raised =
  | { readonly isComplete: true; readonly assuranceId: string | undefined }
  /** The policy of the login demands more, or the login has ended meanwhile. */
  | { readonly isComplete: false; readonly reason: 'factor-needed' | 'login-ended' }

/** What all strategies have in common: whose login it is, and what a proved factor makes of it. */
export class FactorLogin {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /**
   * Whose login a request belongs to. A login that waits for its second factor decides over everything else: while it
   * waits nobody else can prove a factor in this session. Nothing if nobody is known.
   */
  async find(req: StrategyRequest): Promise<Login | undefined> {
    const { assurances, subjectOf } = this.#settings
    const { login, assurance: current } = readSession(req)
    const named = (subjectOf && (await subjectOf(req))) || undefined
    if (login !== undefined) {
      if (assurances === undefined) throw withoutAssurances()
      const waiting = await assurances.read(login)
      if (waiting?.isPending === true) {
        if (named !== undefined && named !== waiting.subject) return undefined
        return { subject: waiting.subject, phase: 'second', assurance: waiting }
      }
    }
    const own = current === undefined ? undefined : await assurances?.read(current)
    if (own?.isPending === false && (named === undefined || named === own.subject)) {
      return { subject: own.subject, phase: 'step-up', assurance: own }
    }
    return named === undefined ? undefined : { subject: named, phase: 'first', assurance: undefined }
  }

  /** Records the factor; then says whether that makes a login. */
  async raise(login: Login, proof: FactorProof, release?: readonly ReleaseHandle[]): Promise<Raised> {
    const { assurances } = this.#settings
    if (assurances === undefined) return { isComplete: true, assuranceId: undefined }
    const input = { ...proof, at: proof.at.getTime() }
    if (login.assurance === undefined) {
      const { id } = await assurances.begin({ subject: login.subject, factors: [input], release })
      return { isComplete: true, assuranceId: id }
    }
    const { id } = login.assurance
    const added = await assurances.addFactor(id, input, { release })
    if (added === undefined) return { isComplete: false, reason: 'login-ended' }
    if (login.phase === 'step-up') return { isComplete: true, assuranceId: id }
    const completed = await assurances.complete(id)
    return completed === undefined
      ? { isComplete: false, reason: 'factor-needed' }
      : { isComplete: true, assuranceId: id }
  }

  /** Makes Passport's own login take the assurance along. */
  carry(req: StrategyRequest, assuranceId: string | undefined): void {
    // Without a session (session: false) the application gets the id in `info`.
    if (!hasSession(req)) return
    const state: SessionState = { assurance: assuranceId }
    carryAcrossLogin(req, this.#settings.keep, state)
  }

  /** Tells the log and whoever listens. */
  record(login: Login, factor: string, result: 'passed' | 'failed' | 'limited' | 'completed', reason?: string): void {
    publishFactorEvent(this.#settings.logger, {
      subject: login.subject,
      factor,
      result,
      ...(reason === undefined ? {} : { reason }),
      at: this.#settings.runtime.now(),
    })
  }
}

function withoutAssurances(): ConfigurationError {
  return new ConfigurationError(
    'a login waits for its second factor, but the strategy has no `assurances`: give it those that beginSecondFactor has',
  )
}
