import { compactVerify, CompactSign, decodeProtectedHeader, errors } from 'jose'
import type { JsonObject } from '../approval/json.js'
import type { KeyRing, RingKey } from './keys.js'
import { isObject, member } from './schema.js'

/** Why a token could not be read, in the words of the original's library. For the log, and for clients only where asked for. */
export class TokenError extends Error {
  constructor(text: string) {
    super(text)
    this.name = 'TokenError'
  }
}

const MAX_TOKEN_LENGTH = 8192
const MAX_CACHED_TOKENS = 10_000

/** Signs and reads access tokens. Reading checks the signature and nothing that depends on time or on a store. */
export class TokenCodec {
  readonly #keys: KeyRing
  // A signature that was right stays right, so it is computed once for each token. Nothing else is remembered: times,
  // sessions and users are looked at anew on every request.
  readonly #verified = new Map<string, JsonObject>()

  constructor(keys: KeyRing) {
    this.#keys = keys
  }

  async sign(claims: JsonObject): Promise<string> {
    const { alg, kid, sign } = this.#keys.signing
    const header = kid === undefined ? { typ: 'JWT', alg } : { typ: 'JWT', alg, kid }
    return new CompactSign(new TextEncoder().encode(JSON.stringify(claims))).setProtectedHeader(header).sign(sign)
  }

  /** @throws {@link TokenError} */
  async read(token: string): Promise<JsonObject> {
    const known = this.#verified.get(token)
    if (known !== undefined) return known
    if (token.length > MAX_TOKEN_LENGTH) throw new TokenError('DecodeError: Not enough segments')
    const claims = await this.#verify(token)
    if (this.#verified.size >= MAX_CACHED_TOKENS) this.#forgetOldest()
    this.#verified.set(token, claims)
    return claims
  }

  async #verify(token: string): Promise<JsonObject> {
    if (token.split('.').length !== 3) throw new TokenError('DecodeError: Not enough segments')
    const key = this.#keyOf(token)
    if (!isExact(token)) throw new TokenError('DecodeError: Invalid crypto padding')
    try {
      const { payload } = await compactVerify(token, key.verify, { algorithms: [key.alg] })
      const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
      if (isObject(claims)) return claims
    } catch (error) {
      throw new TokenError(
        error instanceof errors.JWSSignatureVerificationFailed
          ? 'InvalidSignatureError: Signature verification failed'
          : 'DecodeError: Invalid token',
      )
    }
    throw new TokenError('DecodeError: Invalid payload string: must be a json object')
  }

  // The algorithm is the key's. What the token says of it must agree, and decides nothing.
  #keyOf(token: string): RingKey {
    const { alg, kid, typ, crit } = readHeader(token)
    // Tokens of other kinds that may be signed with the same key mark themselves by their type (RFC 9068, 8725).
    if (typ !== undefined && (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT')) {
      throw new TokenError('InvalidTokenError: The token is of another type')
    }
    const key = this.#keys.all.find((candidate) => candidate.kid === kid)
    if (key === undefined || crit !== undefined) throw new TokenError('InvalidKeyError: The key is not known')
    if (alg !== key.alg) throw new TokenError('InvalidAlgorithmError: The specified alg value is not allowed')
    return key
  }

  #forgetOldest(): void {
    let left = MAX_CACHED_TOKENS / 10
    for (const token of this.#verified.keys()) {
      if (left === 0) return
      this.#verified.delete(token)
      left -= 1
    }
  }
}

// Decoders skip blanks and padding and don't look at the last bits: one signature would have many spellings. Header and
// claims are signed as they are spelt; only the signature is not.
function isExact(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1)
  return /^[A-Za-z0-9._-]*$/.test(token) && Buffer.from(signature, 'base64url').toString('base64url') === signature
}

function readHeader(token: string): { alg: unknown; kid: unknown; typ: unknown; crit: unknown } {
  try {
    const header = { ...decodeProtectedHeader(token) } as JsonObject
    return {
      alg: member(header, 'alg'),
      kid: member(header, 'kid'),
      typ: member(header, 'typ'),
      crit: member(header, 'crit'),
    }
  } catch {
    throw new TokenError('DecodeError: Invalid header padding')
  }
}
