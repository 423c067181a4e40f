import { verifyActiveconnectRequest } from '../../providers/activeconnect/signing.js'
import { json, type SandboxReply, type SandboxRequest } from '../http-message.js'
import type { ActiveconnectSandboxOptions } from './options.js'
import type { ActiveconnectState, Session } from './state.js'

const SKEW_SECONDS = 300

/** Checks the signature of every request, and remembers nonces. */
export class Credentials {
  readonly #state: ActiveconnectState
  readonly #knobs: Omit<ActiveconnectSandboxOptions, 'applicationId' | 'applicationSecret' | 'plusIsSpace'>
  readonly #now: () => number

  constructor(state: ActiveconnectState, options: ActiveconnectSandboxOptions, now: () => number) {
    const { applicationId: _id, applicationSecret: _secret, plusIsSpace: _plus, ...knobs } = options
    this.#state = state
    this.#knobs = knobs
    this.#now = now
  }

  /** For calls of an application: the id of the one that signed, or a refusal. Session tokens are unknown here. */
  application(request: SandboxRequest): string | SandboxReply {
    return this.#verify(request, (id) => this.#state.applications.get(id))
  }

  /** For a session's URLs: only the token of that very session is known. */
  session(request: SandboxRequest, session: Session | undefined): string | SandboxReply {
    return this.#verify(request, (id) => (session?.token === id ? session.secret : undefined))
  }

  #verify(request: SandboxRequest, secretOf: (id: string) => string | undefined): string | SandboxReply {
    const verified = verifyActiveconnectRequest({
      ...this.#knobs,
      url: originOf(request) + request.target,
      headers: request.incoming.headersDistinct,
      secretOf,
      nowSeconds: Math.floor(this.#now() / 1000),
      maxSkewSeconds: SKEW_SECONDS,
      isNonceSeen: (clientId, nonce) => this.#state.isNonceSeen(clientId, nonce),
    })
    if (verified.ok) {
      this.#state.rememberNonce(verified.clientId, verified.nonce, 2 * SKEW_SECONDS * 1000)
      return verified.clientId
    }
    // An unknown client is answered like a wrong signature.
    return refuse(401, verified.reason === 'unknown-client' ? 'signature' : verified.reason)
  }
}

/** The origin under which the caller reached us. Only our own port on this machine: the signature covers the host name. */
export function originOf(request: SandboxRequest): string {
  const { localPort } = request.incoming.socket
  const host = request.headers.host ?? ''
  const isOwn = host.toLowerCase() === `localhost:${localPort}` || host === `[::1]:${localPort}`
  return `http://${isOwn ? host : `127.0.0.1:${localPort}`}`
}

export function refuse(status: number, reason: string): SandboxReply {
  return json(status, { status: false, reason })
}
