import fc from 'fast-check'
import { createRequire } from 'node:module'
import { signOneTouch, verifyOneTouchSignature } from 'passport-outofband/webhooks'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { answerBody, apiKey, callbackUrl, type Json } from './one-touch-support.js'

// The signatures of npm authy-client, by somebody else, against ours. It has no types of its own.
const { Client } = z
  .object({
    Client: z.custom<new (options: { key: string }) => { verifyCallback(request: object): Promise<unknown> }>(
      (value) => typeof value === 'function',
    ),
  })
  .parse(createRequire(import.meta.url)('authy-client'))
const client = new Client({ key: apiKey })
const { protocol, host, pathname } = new URL(callbackUrl)

interface Sent {
  readonly body: Readonly<Record<string, Json>>
  readonly nonce: string
  readonly signature: string
}

async function theyTake({ body, nonce, signature }: Sent): Promise<boolean> {
  const headers = { host, 'x-authy-signature': signature, 'x-authy-signature-nonce': nonce }
  const request = {
    body: structuredClone(body),
    headers,
    method: 'POST',
    protocol: protocol.slice(0, -1),
    url: pathname,
  }
  return client.verifyCallback(request).then(
    () => true,
    () => false,
  )
}

function weTake({ body, nonce, signature }: Sent): boolean {
  const rawBody = Buffer.from(JSON.stringify(body))
  return verifyOneTouchSignature({ apiKey, nonce, signature, method: 'POST', url: callbackUrl, rawBody })
}

function signed(body: Readonly<Record<string, Json>>, nonce: string): Sent {
  const rawBody = JSON.stringify(body)
  return { body, nonce, signature: signOneTouch({ apiKey, nonce, method: 'POST', url: callbackUrl, rawBody }) }
}

const word = fc.string({
  unit: fc.constantFrom(...Array.from('abzAZ019-_. é€😀/+=&%"\\?#:@')),
  minLength: 1,
  maxLength: 12,
})
// Small letters only: it sorts names as a dictionary does, the service sorts their bytes (a vector shows it).
const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x', 'y', 'z'), minLength: 1, maxLength: 8 })
const value = fc.oneof(word, fc.nat(), fc.boolean())
const callbacks = fc
  .record({
    status: fc.constantFrom('approved', 'denied'),
    details: fc.dictionary(name, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true }),
    message: word,
    logos: fc.array(fc.record({ res: word, url: word }), { minLength: 1, maxLength: 3 }),
  })
  .map(({ status, details, message, logos }): Readonly<Record<string, Json>> => {
    const body = answerBody({ status, device_uuid: '2102943', device: { id: 1 }, transaction: { details, message } })
    return { ...body, approval_request: { ...(body['approval_request'] as object), logos } }
  })
const nonces = fc.integer({ min: 1_400_000_000, max: 1_600_000_000 }).map(String)

test('what we sign, authy-client takes; what it takes, we take; and so with what both refuse [SC 44]', async () => {
  const taken = { both: 0, neither: 0 }
  await fc.assert(
    fc.asyncProperty(callbacks, callbacks, nonces, nonces, async (body, other, nonce, otherNonce) => {
      const right = signed(body, nonce)
      const mixed: Sent[] = [
        right,
        { ...right, body: other },
        { ...right, nonce: otherNonce },
        { ...right, signature: signed(other, nonce).signature },
        { ...right, body: { ...body, status: body['status'] === 'approved' ? 'denied' : 'approved' } },
      ]
      for (const sent of mixed) {
        const ours = weTake(sent)
        expect({ sent, taken: await theyTake(sent) }).toEqual({ sent, taken: ours })
        taken[ours ? 'both' : 'neither'] += 1
      }
    }),
    { numRuns: 150 },
  )
  expect(taken.both).toBeGreaterThanOrEqual(150)
  expect(taken.neither).toBeGreaterThanOrEqual(300)
})
