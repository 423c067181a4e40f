import { z } from 'zod'
import { objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { compareAndSet } from './compare-and-set.js'
import { factorName } from './factors.js'
import { networkOf } from './network.js'
import { keyOf } from './random-id.js'
import type { StateRecord, StateStore } from './state-store.js'

/** Who tries, and for which account. */
export interface Guess {
  /** The account. All factors and all sessions count together. */
  readonly subject: string
  /** The caller's IP address, if it is known. IPv6 counts by its /64 network. */
  readonly address?: string | undefined
  /** A random value that this browser keeps (see `deviceCookie`). One that proved this factor before has a budget of its own. */
  readonly device?: string | undefined
  /**
   * What is guessed: `password`, `code`, or a name of your own. Wrong guesses of all count together; a right one clears its
   * own only, so that whoever knows the password can't buy new guesses at the code with it. Default `password`; the
   * strategies of this package say `code`.
   */
  readonly factor?: string | undefined
}

/** Whether a guess may be made. A guess that may has been counted already, as a failure, until it is settled. */
export type GuessPermit =
  | {
      readonly allowed: true
      /** It was right: the wrong guesses at this factor are forgotten, and the device is known for this factor from now on. */
      succeeded(): Promise<void>
      /** It was never judged (the provider is down): it doesn't count. A wrong guess needs no call. */
      withdrawn(): Promise<void>
    }
  | { readonly allowed: false; readonly scope: 'account' | 'address'; readonly retryAfterSeconds: number }

/** What {@link createGuessLimits} takes. */
export interface GuessLimitsOptions {
  readonly state: StateStore
  /** Wrong guesses in a row before an account pauses: 1 to 10. Default 5. */
  readonly freeGuesses?: number | undefined
  /** The same for an address, over all accounts. Default 50. */
  readonly freeGuessesPerAddress?: number | undefined
  /** The first pause, in seconds; each further wrong guess doubles it. Default 30. */
  readonly pauseSeconds?: number | undefined
  /** The longest pause, in seconds: nobody is locked out for good. Default one hour, at most a day. */
  readonly maxPauseSeconds?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

/** Limits on guessing codes and passwords. Ask before anything is compared and before a provider is called. */
export interface GuessLimits {
  /** Counts a guess and says whether it may be made. Rejects when the store can't answer: then it may not. */
  begin(guess: Guess): Promise<GuessPermit>
}

const optionsSchema = z.strictObject({
  state: objectWith<StateStore>(['get', 'put', 'putIfAbsent', 'update', 'delete'], 'give a state store'),
  freeGuesses: z.number().int().min(1).max(10).default(5),
  freeGuessesPerAddress: z.number().int().min(1).max(10_000).default(50),
  pauseSeconds: z.number().int().min(1).max(3600).default(30),
  maxPauseSeconds: z.number().int().min(1).max(86_400).default(3600),
  runtime: runtimeOption,
})

const DAY_MS = 86_400_000
// Failures in a row are remembered until this long after the last one.
const ACCOUNT_MEMORY_MS = 30 * DAY_MS
const ADDRESS_MEMORY_MS = 3_600_000
const DEVICE_MEMORY_MS = 90 * DAY_MS

const budgetRecord = z.object({ failures: z.record(z.string(), z.number().int().min(0)), notBefore: z.number() })
type Budget = z.output<typeof budgetRecord>

interface Bucket {
  readonly key: string
  readonly scope: 'account' | 'address'
  readonly free: number
  readonly memoryMs: number
}

/** A bucket in which a guess was counted, and the pause that this began. */
interface Counted {
  readonly bucket: Bucket
  readonly notBefore: number
}

/**
 * Makes limits on guessing: some free tries, then a pause that doubles with each wrong guess up to `maxPauseSeconds`.
 * An account counts over all factors, sessions and addresses; a right guess clears the wrong ones at its own factor only.
 * A stranger's guesses don't pause a device that proved the factor before: it has a budget of its own.
 *
 * @throws {@link InvalidOptionError}
 */
export function createGuessLimits(options: GuessLimitsOptions): GuessLimits {
  const settings = parseOptions(optionsSchema, options, 'createGuessLimits')
  const { state } = settings
  const { now } = resolveRuntime(settings.runtime)
  const pauses = { first: settings.pauseSeconds * 1000, longest: settings.maxPauseSeconds * 1000 }

  const account = async (guess: Guess): Promise<Bucket> => {
    const known = guess.device !== undefined && (await state.get(keyOfDevice(guess))) !== undefined
    const key = known ? keyOf(guess.subject, guess.device) : keyOf(guess.subject)
    return { key: `guesses:account:${key}`, scope: 'account', free: settings.freeGuesses, memoryMs: ACCOUNT_MEMORY_MS }
  }
  const address = (ip: string): Bucket => ({
    key: `guesses:address:${keyOf(networkOf(ip))}`,
    scope: 'address',
    free: settings.freeGuessesPerAddress,
    memoryMs: ADDRESS_MEMORY_MS,
  })

  const pauseAfter = (failures: Budget['failures'], { free }: Bucket): number => {
    const over = Object.values(failures).reduce((sum, count) => sum + count, 0) - free
    return over < 0 ? 0 : Math.min(pauses.longest, pauses.first * 2 ** Math.min(over, 30))
  }
  const count = (bucket: Bucket, factor: string): Promise<Counted | { readonly waitMs: number }> =>
    compareAndSet<Counted | { readonly waitMs: number }>(state, bucket.key, (record) => {
      const budget = readBudget(record)
      const waitMs = budget.notBefore - now()
      if (waitMs > 0) return { result: { waitMs } }
      const failures = withCount(budget.failures, factor, (budget.failures[factor] ?? 0) + 1)
      const pause = pauseAfter(failures, bucket)
      const notBefore = pause === 0 ? 0 : now() + pause
      return { write: { failures, notBefore }, ttlMs: bucket.memoryMs + pause, result: { bucket, notBefore } }
    })
  const giveBack = ({ bucket, notBefore }: Counted, factor: string, all = false): Promise<undefined> =>
    compareAndSet(state, bucket.key, (record) => {
      if (record === undefined) return { result: undefined }
      const budget = readBudget(record)
      const failures = withCount(budget.failures, factor, all ? 0 : (budget.failures[factor] ?? 0) - 1)
      // The pause that this guess began goes with it. One that another guess began since stays.
      const next = { failures, notBefore: budget.notBefore === notBefore ? 0 : budget.notBefore }
      return { write: next, ttlMs: bucket.memoryMs + Math.max(0, next.notBefore - now()), result: undefined }
    })

  return {
    async begin(guess) {
      const factor = factorName.parse(guess.factor ?? 'password')
      const buckets = [await account(guess), ...(guess.address === undefined ? [] : [address(guess.address)])]
      const counted: Counted[] = []
      for (const bucket of buckets) {
        const result = await count(bucket, factor)
        if ('waitMs' in result) {
          await Promise.all(counted.map((one) => giveBack(one, factor)))
          return { allowed: false, scope: bucket.scope, retryAfterSeconds: Math.ceil(result.waitMs / 1000) }
        }
        counted.push(result)
      }
      return {
        allowed: true,
        async succeeded() {
          await Promise.all(counted.map((one) => giveBack(one, factor, one.bucket.scope === 'account')))
          if (guess.device !== undefined) await state.put(keyOfDevice(guess), true, { ttlMs: DEVICE_MEMORY_MS })
        },
        async withdrawn() {
          await Promise.all(counted.map((one) => giveBack(one, factor)))
        },
      }
    },
  }
}

function withCount(failures: Budget['failures'], factor: string, count: number): Budget['failures'] {
  const others = Object.entries(failures).filter(([name]) => name !== factor)
  return Object.fromEntries(count > 0 ? [...others, [factor, count]] : others)
}

function keyOfDevice(guess: Guess): string {
  // By factor: a browser that showed the password has not shown that it may guess at the code.
  return `guesses:device:${keyOf(guess.subject, guess.device ?? '', guess.factor ?? 'password')}`
}

function readBudget(record: StateRecord | undefined): Budget {
  if (record === undefined) return { failures: {}, notBefore: 0 }
  // What can't be read throws: a limit that doesn't know its count doesn't let anybody pass.
  return budgetRecord.parse(record.value)
}
