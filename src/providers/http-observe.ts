import { channel } from 'node:diagnostics_channel'
import { ApprovalError } from '../errors.js'
import type { Logger } from '../runtime.js'
import type { HttpRequest, ProviderCallEvent } from './http-types.js'

const calls = channel('passport-outofband:provider-call')

/** Where a call comes from, and what it is told with. */
export interface ObservedCaller {
  readonly provider: string
  readonly logger: Logger
  readonly runtime: { readonly now: () => number }
}

/** Writes what a call did to the log and the diagnostics channel: names, numbers and codes, never a URL, header or body. */
export class CallObserver {
  readonly #settings: ObservedCaller
  readonly #request: Pick<HttpRequest, 'operation' | 'method' | 'label'>
  readonly #startedAt: number
  #ended = false
  /** Status of the last answer. */
  status: number | undefined
  /** How often the request was sent. */
  tries = 0

  constructor(settings: ObservedCaller, request: Pick<HttpRequest, 'operation' | 'method' | 'label'>) {
    this.#settings = settings
    this.#request = request
    this.#startedAt = settings.runtime.now()
  }

  /** A harmless call is about to be sent again. */
  repeating(pauseMs: number, error: unknown): void {
    this.#settings.logger.info({ ...this.#facts(), error: codeOf(error), pauseMs }, 'provider call is repeated')
  }

  /** The call is over; only the first time counts. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    const durationMs = Math.max(0, this.#settings.runtime.now() - this.#startedAt)
    const event: ProviderCallEvent = { ...this.#facts(), durationMs, error: codeOf(error) }
    if (event.error === undefined) this.#settings.logger.debug(event, 'provider call')
    else this.#settings.logger.warn(event, 'provider call failed')
    calls.publish(event)
  }

  #facts(): Omit<ProviderCallEvent, 'durationMs' | 'error'> {
    const { operation, method, label } = this.#request
    return { provider: this.#settings.provider, operation, method, path: label, status: this.status, tries: this.tries }
  }
}

function codeOf(error: unknown): string | undefined {
  if (error === undefined) return undefined
  return error instanceof ApprovalError ? error.code : 'ABORTED'
}
