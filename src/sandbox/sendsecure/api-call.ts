import type { SandboxReply } from '../http-message.js'
import type { PathParams } from '../router.js'
import type { User } from './model.js'
import type { SendSecureState } from './state.js'
import type { Loose } from './values.js'

/** One call on the API, after its token was looked at. */
export interface ApiCall {
  readonly state: SendSecureState
  readonly user: User
  readonly query: URLSearchParams
  readonly params: PathParams
  /** The body, whatever it was; empty when there was none. */
  readonly body: Loose
}

export type ApiHandler = (call: ApiCall) => SandboxReply | Promise<SandboxReply>

/** Adds a route below `/api/v2`. */
export type AddRoute = (method: string, path: string, handler: ApiHandler) => void
