import { ApprovalError, ProviderProtocolError, ProviderTimeoutError, ProviderUnreachableError } from '../errors.js'
import { CONNECT_TIMEOUT } from './http-agent.js'
import type { Deadline } from './http-deadline.js'
import { errorCode, safeCause } from './http-redact.js'

/** What the translation of an error has to know about the call. */
export interface FailureContext {
  readonly provider: string
  readonly deadline: Deadline
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
}

/**
 * Translates whatever fetch, a socket or a stream threw into the errors of this package.
 * Throws the caller's own reason, unchanged, if it was the caller who aborted.
 */
export function callError(error: unknown, context: FailureContext): Error {
  const { provider, deadline } = context
  deadline.throwIfCallerAborted()
  const cause = safeCause(error)
  if (deadline.passed) return new ProviderTimeoutError(provider, 'total', context.timeoutMs, { cause })
  if (error instanceof ApprovalError) return error
  const code = errorCode(error)
  if (code === CONNECT_TIMEOUT)
    return new ProviderTimeoutError(provider, 'connect', context.connectTimeoutMs, { cause })
  if (code?.startsWith('HPE_')) return new ProviderProtocolError(provider, 'the answer is not HTTP', { cause })
  return new ProviderUnreachableError(provider, code ?? 'NETWORK', { cause })
}

/** Whether a second try of a harmless request can do better. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ProviderTimeoutError) return error.phase === 'connect'
  return (
    error instanceof ProviderUnreachableError && !error.reason.startsWith('ERR_TLS') && !/CERT|SSL/.test(error.reason)
  )
}
