import { hkdfSync } from 'node:crypto'
import { EncryptJWT, jwtDecrypt } from 'jose'
import { z } from 'zod'
import { InvalidInputError } from '../../errors.js'
import type { Runtime } from '../../runtime.js'
import { serialisedSessionSchema, type SerialisedSession } from './wire.js'

/** A key under which sessions are sealed. */
export interface ActiveconnectSealingKey {
  /** Its name, written into what it sealed. Not secret. */
  readonly kid: string
  /** 32 random bytes. */
  readonly key: Uint8Array
}

/** @internal */
export const sealingKeysOption = z
  .array(
    z.strictObject({
      kid: z.string().min(1).max(64),
      key: z.instanceof(Uint8Array).refine((key) => key.length === 32, 'give 32 bytes'),
    }),
  )
  .min(1, 'give at least one key')
  .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, 'two keys have the same kid')

/** What a sealed session is good for. All of it is inside the sealed part and compared when it is opened. */
export interface ActiveconnectSealScope {
  readonly userId: string
  /** What the application keeps it for, such as `login`. */
  readonly purpose: string
}

const payloadSchema = z.object({ session: serialisedSessionSchema, purpose: z.string() })

/** @internal Seals sessions (JWE, `dir`, A256GCM) so that they can live in a cookie, a session or a store. */
export class SessionSeal {
  readonly #keys: readonly ActiveconnectSealingKey[]
  readonly #applicationId: string
  readonly #runtime: Runtime

  constructor(keys: readonly ActiveconnectSealingKey[], applicationId: string, runtime: Runtime) {
    this.#keys = keys
    this.#applicationId = applicationId
    this.#runtime = runtime
  }

  async seal(session: SerialisedSession, scope: ActiveconnectSealScope, ttlSeconds: number): Promise<string> {
    const [current] = this.#keys
    if (current === undefined) throw new Error('a seal has at least one key')
    const now = Math.floor(this.#runtime.now() / 1000)
    return new EncryptJWT({ session, purpose: scope.purpose })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: current.kid })
      .setIssuer(this.#applicationId)
      .setSubject(scope.userId)
      .setIssuedAt(now)
      .setExpirationTime(now + ttlSeconds)
      .encrypt(current.key)
  }

  /** @throws InvalidInputError when it was not sealed by us for this user, application and purpose, or is too old. */
  async open(sealed: string, scope: ActiveconnectSealScope): Promise<SerialisedSession> {
    try {
      const { payload } = await jwtDecrypt(sealed, (header) => this.#keyOf(header.kid), {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        issuer: this.#applicationId,
        subject: scope.userId,
        requiredClaims: ['exp', 'iat'],
        currentDate: new Date(this.#runtime.now()),
      })
      const { session, purpose } = payloadSchema.parse(payload)
      if (purpose === scope.purpose) return session
    } catch {
      // Which of the checks failed is of use to nobody but an attacker.
    }
    throw new InvalidInputError('sealed', 'this is no sealed session of this user, application and purpose')
  }

  #keyOf(kid: string | undefined): Uint8Array {
    const found = this.#keys.find((key) => key.kid === kid)
    if (!found) throw new Error('no such key')
    return found.key
  }
}

/** @internal The key for those who give none: derived from the application's secret, so that it needs no storing. */
export function derivedSealingKey(applicationId: string, applicationSecret: string): ActiveconnectSealingKey {
  const key = hkdfSync(
    'sha256',
    applicationSecret,
    applicationId,
    'passport-outofband activeconnect session seal v1',
    32,
  )
  return { kid: 'application-secret', key: new Uint8Array(key) }
}
