import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { problem } from './refusal.js'

/** What callers of a gateway must send as a bearer token: one text or several (rotation); `false` lets everybody in. */
export type GatewayCredential = string | readonly string[] | false

const token = z.string().regex(/^[\x21-\x7e]{16,512}$/, { error: 'give 16 characters or more, without blanks' })

export const credentialOption = z.union([token, z.array(token).min(1), z.literal(false)], {
  error: 'give a text of 16 characters or more (or false to let everybody in)',
})

/** Lets a caller through who holds one of the credentials. */
export function credentialCheck(credential: GatewayCredential): (req: IncomingMessage) => Promise<void> {
  if (credential === false) return () => Promise.resolve()
  const digests = [credential].flat().map(digest)
  return async (req) => {
    const given = digest(/^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? '')
    // All are compared, so that the time tells nothing about which one it was.
    const matches = digests.filter((known) => timingSafeEqual(known, given))
    if (matches.length === 0) throw problem(401, 'No authorization token provided', { 'WWW-Authenticate': 'Bearer' })
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
