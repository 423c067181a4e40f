import { isCommonPassword } from './common-passwords.js'
import { refusals } from './refusal.js'

export interface PasswordPolicy {
  readonly minLength: number
  readonly blocklist: readonly string[]
  readonly isBreached: ((password: string) => boolean | Promise<boolean>) | undefined
}

const MAX_LENGTH = 1024

/**
 * Lets a new password through or refuses it. Lengths count Unicode characters; nothing is trimmed, cut or normalised,
 * because hashes that are there already were made from the text as it was typed.
 */
export async function checkNewPassword(policy: PasswordPolicy, password: string, email: string): Promise<void> {
  const length = Array.from(password).length
  if (length < policy.minLength)
    throw refusals.weakPassword(`The password needs at least ${policy.minLength} characters`)
  if (length > MAX_LENGTH) throw refusals.weakPassword(`The password may have at most ${MAX_LENGTH} characters`)
  const lower = password.toLowerCase()
  const own = [email, email.split('@')[0] ?? ''].map((text) => text.toLowerCase())
  const listed = policy.blocklist.some((entry) => entry.toLowerCase() === lower)
  if (listed || own.includes(lower) || isCommonPassword(password)) {
    throw refusals.weakPassword('The password is too easy to guess')
  }
  if (policy.isBreached !== undefined && (await policy.isBreached(password))) {
    throw refusals.weakPassword('The password is known from a breach')
  }
}
