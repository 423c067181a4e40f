import { Refusal, unavailable, type Answer } from './refusal.js'
import { isObject, member } from './schema.js'
import { QueueFullError } from './work-queue.js'

/** A refusal, as the routes of the user service would have answered it. */
export interface Refused {
  readonly ok: false
  readonly status: number
  /** The code of the service's own errors, else the status in words: `AuthFailure`, `TooManyRequests`. */
  readonly code: string
  readonly description: string
  /** When to come back, in seconds: with 429 and 503. */
  readonly retryAfterSeconds?: number
}

/** A refusal as a value. Everything else is thrown on. */
export function refusalOf(error: unknown): Refused {
  if (error instanceof QueueFullError) return fromAnswer(unavailable('The service is busy').answer)
  if (!(error instanceof Refusal)) throw error
  return fromAnswer(error.answer)
}

function fromAnswer({ status, body: given, headers = {} }: Answer): Refused {
  const body = isObject(given) ? given : {}
  const text = (name: string): string | undefined => {
    const value = member(body, name)
    return typeof value === 'string' ? value : undefined
  }
  const wait = headers['Retry-After']
  return {
    ok: false,
    status,
    code: text('code') ?? text('title')?.replaceAll(' ', '') ?? 'Unauthorized',
    description: text('description') ?? text('detail') ?? '',
    ...(wait === undefined ? {} : { retryAfterSeconds: Number(wait) }),
  }
}

/** What came of something that may be refused. */
export type Outcome<T extends object = object> = ({ readonly ok: true } & T) | Refused

/** Runs something that may be refused. */
export async function outcomeOf<T extends object>(run: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ...(await run()), ok: true }
  } catch (error) {
    return refusalOf(error)
  }
}
