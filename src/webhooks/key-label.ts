import { createHash } from 'node:crypto'

/** A name for a key that may stand in a log: tells keys apart, tells nothing about them. Hash of a random 32-character key. */
export function keyLabel(apiKey: string): string {
  return createHash('sha256').update(`passport-outofband key label|${apiKey}`).digest('hex').slice(0, 8)
}
