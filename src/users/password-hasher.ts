import { createHmac, randomBytes } from 'node:crypto'
import type * as Argon2 from '@node-rs/argon2'
import { ConfigurationError } from '../errors.js'
import { verifyImported } from './imported-hashes.js'
import { QueueFullError, WorkQueue } from './work-queue.js'

/** Turns passwords into hashes. A seam: the service comes with argon2id. */
export interface PasswordHasher {
  /** A hash that names its own algorithm and cost. */
  hash(password: string): Promise<string>
  /** False for a hash of no known kind, too. Never throws for what is in the hash or the password. */
  verify(hash: string, password: string): Promise<boolean>
  /** True if a new hash of the same password would be stronger. */
  needsRehash(hash: string): boolean
}

/** Cost of argon2id. The defaults are OWASP's minimum: 19 MiB, 2 passes, 1 lane. */
export interface Argon2Options {
  /** KiB of memory for each hash, 19456 or more. */
  readonly memoryKiB?: number
  /** 2 or more. */
  readonly passes?: number
  readonly lanes?: number
}

const ARGON2ID = 2
const MAX_LANES = 64
const MAX_IMPORTED_KIB = 262_144
/** KiB times passes. */
const MAX_IMPORTED_WORK = 1_048_576

/** argon2id by the optional peer `@node-rs/argon2`; verifies what other systems have hashed as well. */
export function argon2Hasher(options: Argon2Options = {}): PasswordHasher {
  const { memoryKiB = 19_456, passes = 2, lanes = 1 } = options
  const cost = { memoryCost: memoryKiB, timeCost: passes, parallelism: lanes, algorithm: ARGON2ID }
  return {
    async hash(password) {
      const { hash } = await loadArgon2()
      return hash(password, cost)
    },
    async verify(hash, password) {
      if (!hash.startsWith('$argon2')) return verifyImported(hash, password)
      if (!isAffordable(hash, { memoryKiB, passes })) return false
      const { verify } = await loadArgon2()
      try {
        return await verify(hash, password)
      } catch {
        return false
      }
    },
    needsRehash(hash) {
      const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(hash)
      return match === null || Number(match[1]) < memoryKiB || Number(match[2]) < passes
    },
  }
}

// An imported hash was perhaps written by its user, who may have asked for all memory of the machine. The originals used
// 100 MiB and two passes at most.
function isAffordable(hash: string, own: { readonly memoryKiB: number; readonly passes: number }): boolean {
  const match = /^\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=(\d+),t=(\d+),p=(\d+)/.exec(hash)
  if (match === null) return false
  const [memory = 0, passes = 0, lanes = 0] = match.slice(1).map(Number)
  const work = Math.max(MAX_IMPORTED_WORK, own.memoryKiB * own.passes)
  return memory <= Math.max(MAX_IMPORTED_KIB, own.memoryKiB) && memory * passes <= work && lanes <= MAX_LANES
}

async function loadArgon2(): Promise<typeof Argon2> {
  try {
    return await import('@node-rs/argon2')
  } catch (error) {
    throw new ConfigurationError('passwords are hashed with @node-rs/argon2: npm install @node-rs/argon2', {
      cause: error,
    })
  }
}

/** The passwords of the service: two hashes at once at most, and the same work for accounts that don't exist. */
export class Passwords {
  readonly #hasher: PasswordHasher
  readonly #queue: WorkQueue
  readonly #decoys: readonly string[]
  readonly #key: Buffer
  #decoy: Promise<string> | undefined

  constructor(
    hasher: PasswordHasher,
    options: {
      readonly concurrency: number
      readonly maxWaiting: number
      /** Hashes of other kinds that real accounts have. */
      readonly decoys: readonly string[]
      readonly key: Buffer
    },
  ) {
    this.#hasher = hasher
    this.#queue = new WorkQueue(options)
    this.#decoys = options.decoys
    this.#key = options.key
  }

  /** @throws {@link QueueFullError} */
  async hash(password: string): Promise<string> {
    return this.#queue.run(() => this.#hasher.hash(password))
  }

  /**
   * Compares; without a hash it does the same work for nothing, so that the time tells nobody which it was. `subject` is
   * what the account is found by: the same one always means the same work.
   */
  async verify(hash: string | null, password: string, subject: string): Promise<boolean> {
    // The original refuses longer ones too, by a crash. 4096 characters are no password, but they cost time.
    const candidate = password.length > 4096 ? '' : password
    const against = hash ?? (await this.#decoyHash(subject))
    const matches = await this.#queue.run(() => this.#hasher.verify(against, candidate))
    return matches && hash !== null && candidate === password
  }

  needsRehash(hash: string): boolean {
    return this.#hasher.needsRehash(hash)
  }

  #decoyHash(subject: string): Promise<string> {
    const chosen = createHmac('sha256', this.#key).update(subject).digest().readUInt32BE() % (this.#decoys.length + 1)
    const other = this.#decoys[chosen]
    if (other !== undefined) return Promise.resolve(other)
    this.#decoy ??= this.hash(randomBytes(24).toString('base64')).catch((error: unknown) => {
      this.#decoy = undefined
      throw error
    })
    return this.#decoy
  }
}

export { QueueFullError }
