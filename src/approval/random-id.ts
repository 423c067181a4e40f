import { createHash } from 'node:crypto'
import type { Runtime } from '../runtime.js'

/** A random id that can't be guessed: 128 bits as base64url, 22 characters. */
export function randomId(runtime: Runtime): string {
  return Buffer.from(runtime.randomBytes(16)).toString('base64url')
}

/** Turns values of any length and kind into a part of a store's key. Two lists of values never give the same. */
export function keyOf(...values: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('base64url')
}
