import { z } from 'zod'
import { parseOptions } from '../options.js'

const scope = {
  /** `authy`, `passbyme`, ...; left out: every provider. */
  provider: z.string().optional(),
  method: z.string().optional(),
  /** The raw path, with `*` for any run of characters: `/protected/json/sms/*`. Left out: every path. */
  path: z.string().optional(),
  /** How often it strikes. Left out: until it is removed. */
  times: z.int().positive().optional(),
}

const milliseconds = z.number().min(0).max(86_400_000)
const delay = z.strictObject({ kind: z.literal('delay'), ms: milliseconds, ...scope })
const hang = z.strictObject({ kind: z.literal('hang'), when: z.enum(['before', 'after']).optional(), ...scope })
const reset = z.strictObject({
  kind: z.literal('reset'),
  when: z.enum(['before', 'after', 'mid-body']).optional(),
  ...scope,
})
const drip = z.strictObject({
  kind: z.literal('drip'),
  bytes: z.int().positive().optional(),
  everyMs: milliseconds.optional(),
  ...scope,
})
const error = z.strictObject({
  kind: z.literal('error'),
  status: z.int().min(400).max(599),
  code: z.string().optional(),
  ...scope,
})
const rateLimit = z.strictObject({
  kind: z.literal('rate-limit'),
  retryAfterSeconds: z.int().nonnegative().optional(),
  ...scope,
})
const redirect = z.strictObject({ kind: z.literal('redirect'), location: z.string().min(1), ...scope })
const contentType = z.strictObject({ kind: z.literal('content-type'), type: z.string().min(1).optional(), ...scope })
const oversized = z.strictObject({ kind: z.literal('oversized'), bytes: z.int().positive().optional(), ...scope })
const spoilt = z.strictObject({ kind: z.enum(['broken-json', 'truncated', 'html', 'empty']), ...scope })
const clockSkew = z.strictObject({ kind: z.literal('clock-skew'), ms: z.number(), provider: scope.provider })
const callback = z.strictObject({
  kind: z.literal('callback'),
  change: z.enum([
    'lost',
    'duplicated',
    'reordered',
    'wrong-signature',
    'no-signature',
    'no-nonce',
    'old-nonce',
    'replayed',
    'wrong-key',
    'two-logos',
    'array-body',
    'capitalised-keys',
  ]),
  provider: scope.provider,
  times: scope.times,
})

/** What a fault looks like. Unknown fields are refused. */
export const faultSchema = z.discriminatedUnion('kind', [
  delay,
  hang,
  reset,
  drip,
  error,
  rateLimit,
  redirect,
  contentType,
  oversized,
  spoilt,
  clockSkew,
  callback,
])

/**
 * A fault on demand. `provider`, `method`, `path` (with `*` for any run of characters) and `times` say where and how
 * often it strikes; the kinds are listed in the sandbox guide.
 */
export type Fault = z.infer<typeof faultSchema>
export type FaultKind = Fault['kind']
export type CallbackChange = Extract<Fault, { kind: 'callback' }>['change']

/** A fault that was added: with its id and how often it has struck. */
export type ActiveFault = Fault & { readonly id: string; readonly hits: number }

type RequestFault = Exclude<Fault, { kind: 'callback' | 'clock-skew' }>

/** The faults that are in force. Those of a request or a callback are taken in the order in which they were added. */
export class Faults {
  #faults: Entry[] = []
  #next = 1
  readonly #changed: () => void

  constructor(changed: () => void = () => undefined) {
    this.#changed = changed
  }

  /**
   * Puts a fault in force. Gives its id, for {@link remove}.
   *
   * @throws {@link InvalidOptionError} naming the field that is wrong.
   */
  add(fault: Fault): string {
    const parsed = parseOptions(faultSchema, fault, 'fault')
    const id = String(this.#next++)
    this.#faults.push({ id, fault: parsed, hits: 0 })
    this.#changed()
    return id
  }

  remove(id: string): boolean {
    const before = this.#faults.length
    this.#faults = this.#faults.filter((fault) => fault.id !== id)
    if (this.#faults.length !== before) this.#changed()
    return this.#faults.length !== before
  }

  clear(): void {
    this.#faults = []
    this.#changed()
  }

  list(): readonly ActiveFault[] {
    return this.#faults.map(({ id, fault, hits }) => ({ ...fault, id, hits }))
  }

  /** The faults that strike this request; counts them as used. */
  takeForRequest(provider: string, method: string, path: string): readonly RequestFault[] {
    return this.#take((fault) => (isRequestFault(fault) && strikes(fault, provider, method, path) ? fault : undefined))
  }

  /** What is to be done to the next callback of this provider; counts as used. */
  takeForCallback(provider: string): readonly CallbackChange[] {
    return this.#take((fault) => (fault.kind === 'callback' && belongs(fault, provider) ? fault.change : undefined))
  }

  /** By how many milliseconds this provider's clock is wrong at the moment. */
  skewMs(provider: string): number {
    return this.#faults.reduce(
      (sum, { fault }) => (fault.kind === 'clock-skew' && belongs(fault, provider) ? sum + fault.ms : sum),
      0,
    )
  }

  #take<T>(pick: (fault: Fault) => T | undefined): readonly T[] {
    const taken: T[] = []
    const left: Entry[] = []
    for (const entry of this.#faults) {
      const picked = pick(entry.fault)
      if (picked === undefined) {
        left.push(entry)
        continue
      }
      taken.push(picked)
      entry.hits += 1
      const { times } = { times: undefined, ...entry.fault }
      if (times === undefined || entry.hits < times) left.push(entry)
    }
    this.#faults = left
    if (taken.length > 0) this.#changed()
    return taken
  }
}

interface Entry {
  readonly id: string
  readonly fault: Fault
  hits: number
}

function isRequestFault(fault: Fault): fault is RequestFault {
  return fault.kind !== 'callback' && fault.kind !== 'clock-skew'
}

function belongs(fault: Fault, provider: string): boolean {
  return fault.provider === undefined || fault.provider === provider
}

function strikes(fault: RequestFault, provider: string, method: string, path: string): boolean {
  if (!belongs(fault, provider)) return false
  if (fault.method !== undefined && fault.method.toUpperCase() !== method) return false
  return fault.path === undefined || globMatches(fault.path, path)
}

function globMatches(glob: string, path: string): boolean {
  const source = glob
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${source}$`, 's').test(path)
}
