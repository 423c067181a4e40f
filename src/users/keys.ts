import { createPrivateKey, createPublicKey, createSecretKey, hkdfSync, KeyObject } from 'node:crypto'
import { z } from 'zod'
import { InvalidOptionError } from '../errors.js'

export type SigningAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA'

/** A key for access tokens, with the one algorithm that it is used for. */
export interface TokenKey {
  readonly alg: SigningAlgorithm
  /**
   * HS256: the secret, 32 bytes or more (a text counts in UTF-8). The others: a private key as PEM, or a KeyObject; to
   * verify only, a public key will do.
   */
  readonly key: string | Uint8Array | KeyObject
  /** Goes into the tokens' header, so that keys can be changed: 1 to 128 of `A-Z a-z 0-9 . _ -`. One key of the ring may go without. */
  readonly kid?: string
}

/**
 * What the user service signs with. A text alone is a secret for HS256.
 *
 * To change a key without a moment of refusals: put the new one into `verifying` everywhere, then make it `signing` (the
 * old one into `verifying`), and drop the old one when the longest session signed with it has been refreshed or is over.
 */
export type UserServiceKeys =
  | string
  | {
      readonly signing: TokenKey
      /** Keys that tokens are accepted of besides `signing`. */
      readonly verifying?: readonly TokenKey[]
      /**
       * What the keys for everything else (codes, device marks) are derived from: 32 bytes or more. Default: derived from
       * an HS256 signing key; needed with the other algorithms.
       */
      readonly secret?: string | Uint8Array
    }

/** A key as the token code uses it. */
export interface RingKey {
  readonly alg: SigningAlgorithm
  readonly kid: string | undefined
  /** Undefined for a key that only verifies. */
  readonly sign: KeyObject | undefined
  readonly verify: KeyObject
}

/** All keys of a user service. */
export interface KeyRing {
  readonly signing: RingKey & { readonly sign: KeyObject }
  readonly all: readonly RingKey[]
  /** A key of its own for each purpose, so that what one signs is worth nothing to another. */
  derive(purpose: string): Buffer
}

const bytes = z.union([z.string(), z.instanceof(Uint8Array)])
const tokenKey = z.strictObject({
  alg: z.enum(['HS256', 'RS256', 'ES256', 'EdDSA']),
  key: z.union([bytes, z.custom<KeyObject>((value) => value instanceof KeyObject)]),
  kid: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/)
    .optional(),
})

export const keysOption = z.union([
  z.string(),
  z.strictObject({ signing: tokenKey, verifying: z.array(tokenKey).max(32).optional(), secret: bytes.optional() }),
])

/** @throws {@link InvalidOptionError} for a key that is too weak or of the wrong kind. The message never shows it. */
export function createKeyRing(keys: z.output<typeof keysOption>): KeyRing {
  const {
    signing,
    verifying = [],
    secret,
  } = typeof keys === 'string' ? { signing: { alg: 'HS256' as const, key: keys } } : { ...keys }
  const first = ringKey('keys.signing', signing)
  if (first.sign === undefined) throw new InvalidOptionError('keys.signing', 'the signing key must be a private key')
  const all = [first, ...verifying.map((key, index) => ringKey(`keys.verifying.${index}`, key))]
  const kids = all.map(({ kid }) => kid)
  if (new Set(kids).size !== kids.length) {
    throw new InvalidOptionError('keys', 'give each key a kid of its own; at most one may go without')
  }
  const root = rootSecret(first, secret)
  return {
    signing: { ...first, sign: first.sign },
    all,
    derive: (purpose) => Buffer.from(hkdfSync('sha256', root, 'passport-outofband/users', purpose, 32)),
  }
}

function rootSecret(first: RingKey, secret: string | Uint8Array | undefined): Buffer {
  if (secret !== undefined) return secretBytes('keys.secret', secret)
  if (first.alg === 'HS256') return first.verify.export()
  throw new InvalidOptionError(
    'keys.secret',
    `with ${first.alg} give a secret of 32 bytes or more, for codes and device marks`,
  )
}

function ringKey(option: string, { alg, key, kid }: z.output<typeof tokenKey>): RingKey {
  if (alg === 'HS256') {
    const secret = createSecretKey(secretBytes(`${option}.key`, secretMaterial(option, key)))
    return { alg, kid, sign: secret, verify: secret }
  }
  const given = asymmetricKey(option, key)
  const verify = given.type === 'public' ? given : createPublicKey(given)
  checkKind(`${option}.key`, alg, verify)
  return { alg, kid, sign: given.type === 'private' ? given : undefined, verify }
}

function secretMaterial(option: string, key: string | Uint8Array | KeyObject): string | Uint8Array {
  if (!(key instanceof KeyObject)) return key
  if (key.type !== 'secret') throw new InvalidOptionError(`${option}.key`, 'HS256 takes a secret, not a key pair')
  return key.export()
}

function secretBytes(option: string, secret: string | Uint8Array): Buffer {
  const material = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : Buffer.from(secret)
  if (material.length < 32) throw new InvalidOptionError(option, 'give a secret of 32 bytes or more, made at random')
  // A PEM text given for HS256 is the classic confusion of algorithms: its public half is no secret at all.
  if (material.includes('-----BEGIN')) throw new InvalidOptionError(option, 'HS256 takes a secret, not a PEM text')
  if (new Set(material).size < 8) throw new InvalidOptionError(option, 'the secret repeats itself; make one at random')
  return material
}

function asymmetricKey(option: string, key: string | Uint8Array | KeyObject): KeyObject {
  if (key instanceof KeyObject) {
    if (key.type === 'secret') throw new InvalidOptionError(`${option}.key`, 'give a key pair, not a secret')
    return key
  }
  const pem = typeof key === 'string' ? key : Buffer.from(key).toString('utf8')
  try {
    return pem.includes('PRIVATE KEY') ? createPrivateKey(pem) : createPublicKey(pem)
  } catch {
    // Without the cause: some of its messages quote the input.
    throw new InvalidOptionError(`${option}.key`, 'give a key as PEM text (PKCS#8, SPKI), without a passphrase')
  }
}

function checkKind(option: string, alg: Exclude<SigningAlgorithm, 'HS256'>, key: KeyObject): void {
  const details = key.asymmetricKeyDetails
  const fits = {
    RS256: key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048,
    ES256: key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1',
    EdDSA: key.asymmetricKeyType === 'ed25519',
  }[alg]
  const wants = { RS256: 'an RSA key of 2048 bits or more', ES256: 'a key on P-256', EdDSA: 'an Ed25519 key' }[alg]
  if (!fits) throw new InvalidOptionError(option, `${alg} takes ${wants}`)
}
