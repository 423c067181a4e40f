import { randomBytes, randomUUID } from 'node:crypto'

/** 24 hex digits, as the service's object ids. */
export function hexId(): string {
  return randomBytes(12).toString('hex')
}

export function uuid(): string {
  return randomUUID()
}

/** `2017-02-10T01:09:52Z` */
export function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

export function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
