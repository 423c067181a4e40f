import type { ApprovalHandle } from '../approval/approvals-types.js'
import { keyOf } from '../approval/random-id.js'
import type { StateStore } from '../approval/state-store.js'
import { headerOf, type HttpRequest } from './http-request.js'

/** The header in which an API caller sends the token back. */
export const TOKEN_HEADER = 'approval-token'

/**
 * An API caller's approval: the token in the 202 answer is the approval's handle, and the store remembers which caller
 * got it (by session, or by the `jti` of their access token). A stolen token is worth nothing to another caller.
 */
export class CallerTokens {
  readonly #state: StateStore

  constructor(state: StateStore) {
    this.#state = state
  }

  /** A token for this caller. */
  async issue(handle: ApprovalHandle, caller: string, ttlMs: number): Promise<string> {
    await this.#state.put(callerKey(handle.id), keyOf(caller), { ttlMs })
    return `${handle.id}.${handle.secret}`
  }

  /** The handle in the request's token, if this caller got it; `'foreign'` when there is a token that is not theirs, or is none. */
  async read(req: HttpRequest, caller: string): Promise<ApprovalHandle | 'foreign' | undefined> {
    if (req.headers[TOKEN_HEADER] === undefined) return undefined
    const match = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/.exec(headerOf(req, TOKEN_HEADER) ?? '')
    const [, id, secret] = match ?? []
    if (id === undefined || secret === undefined) return 'foreign'
    const stored = await this.#state.get(callerKey(id))
    return stored?.value === keyOf(caller) ? { id, secret } : 'foreign'
  }
}

function callerKey(id: string): string {
  return `approval-caller:${id}`
}
