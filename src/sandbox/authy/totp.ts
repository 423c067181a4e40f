import { Secret, TOTP } from 'otpauth'

const periodMs = 30_000
// The app shows seven digits; another authenticator that took the seed from an export or a QR code shows six.
const lengths = [7, 6]

/** The app on somebody's phone: RFC 6238 with SHA-1 and 30 s, one seed a user, each code good once. */
export class Authenticator {
  readonly secret = new Secret({ size: 20 })
  readonly #usedSteps = new Set<number>()

  /** The code that is shown at `now`. */
  code(now: number, digits = 7): { code: string; expiresAt: number } {
    const expiresAt = (Math.floor(now / periodMs) + 1) * periodMs
    return { code: this.#totp(digits).generate({ timestamp: now }), expiresAt }
  }

  /** Takes a code of the current step or one beside it. A step that was taken is not taken again. */
  take(token: string, now: number): 'good' | 'used' | 'bad' {
    if (!lengths.includes(token.length)) return 'bad'
    const delta = this.#totp(token.length).validate({ token, timestamp: now, window: 1 })
    if (delta === null) return 'bad'
    const step = Math.floor(now / periodMs) + delta
    if (this.#usedSteps.has(step)) return 'used'
    this.#usedSteps.add(step)
    return 'good'
  }

  /** What a QR code for another authenticator app says. */
  link(issuer: string, label: string): string {
    return new TOTP({ issuer, label, secret: this.secret, digits: 6 }).toString()
  }

  #totp(digits: number): TOTP {
    return new TOTP({ secret: this.secret, digits, period: periodMs / 1000, algorithm: 'SHA1' })
  }
}
