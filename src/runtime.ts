import { randomBytes as cryptoRandomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

/** What we send with {@link FetchLike}. A subset of what every fetch takes. */
export interface FetchInit {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  /** A stream is read once and never replayed. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
  readonly redirect: 'manual'
}

/** What we read of an answer. `node-fetch`, `undici` and the global `fetch` all give at least this. */
export interface FetchResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array | string> | null
}

/** The part of the Fetch API that this package needs. */
export type FetchLike = (url: string, init: FetchInit) => Promise<FetchResponse>

/** The four things that this package can't compute. Every factory takes `runtime?: Partial<Runtime>`. */
export interface Runtime {
  /** The network. Left out: node-fetch with keep-alive agents of our own. */
  readonly fetch?: FetchLike | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Resolves after `ms` milliseconds, or rejects with the signal's reason when it is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Cryptographically strong random bytes. */
  readonly randomBytes: (size: number) => Uint8Array
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    // timers/promises wraps the reason in an AbortError of its own; callers compare with signal.reason.
    signal?.throwIfAborted()
    throw error
  }
}

/** The real clock, timer and random source. */
export const systemRuntime: Runtime = Object.freeze({ now: () => Date.now(), sleep, randomBytes: cryptoRandomBytes })

/** Fills what a caller left out with the real thing. */
export function resolveRuntime(runtime: Partial<Runtime> | undefined): Runtime {
  return { ...systemRuntime, ...runtime }
}

/** The logger that every factory takes. pino, winston and console all fit. Nothing is ever logged that is a secret. */
export interface Logger {
  debug(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

const ignore = (): void => undefined

/** The logger that is used when none is given: it says nothing. */
export const silentLogger: Logger = Object.freeze({ debug: ignore, info: ignore, warn: ignore, error: ignore })
