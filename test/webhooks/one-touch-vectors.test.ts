import { readFileSync } from 'node:fs'
import { readOneTouchCallback, signOneTouch, verifyOneTouchSignature } from 'passport-outofband/webhooks'
import { expect, test } from 'vitest'
import { z } from 'zod'

const vector = z.object({
  name: z.string(),
  apiKey: z.string(),
  method: z.enum(['POST', 'GET']),
  url: z.string(),
  nonce: z.string(),
  rawBody: z.string().optional(),
  rawQuery: z.string().optional(),
  signature: z.string(),
  valid: z.boolean(),
})
const file = new URL('../vectors/authy-onetouch-signatures.json', import.meta.url)
const { vectors } = z.object({ vectors: z.array(vector) }).parse(JSON.parse(readFileSync(file, 'utf8')))

test('the vector file is whole', () => {
  expect(vectors).toHaveLength(84)
})

const received = vectors.map(({ rawBody, ...rest }) => ({
  ...rest,
  rawBody: rawBody === undefined ? undefined : Buffer.from(rawBody),
}))

test.each(received)('vector $name is $valid [SC 44]', ({ valid, ...callback }) => {
  expect(verifyOneTouchSignature(callback)).toBe(valid)
})

test.each(received.filter(({ valid }) => valid))(
  'vector $name is signed as it was [SC 44]',
  ({ signature, ...message }) => {
    expect(signOneTouch(message)).toBe(signature)
  },
)

// Three are signed as callbacks are, but are none: the vendor's examples of other signed requests.
const isCallback = ({ rawBody, rawQuery }: { rawBody?: Buffer | undefined; rawQuery?: string | undefined }): boolean =>
  (rawBody?.toString() ?? rawQuery ?? '').includes('approval_request_status')

test.each(received)(
  'vector $name is read as an event if it is a genuine callback [SC 31]',
  ({ valid, ...callback }) => {
    const reading = readOneTouchCallback({ ...callback, nowSeconds: Number(callback.nonce) })
    expect(reading.ok).toBe(valid && isCallback(callback))
    if (!reading.ok) return
    const { status, uuid, authyId } = reading.event
    const text = callback.rawBody?.toString() ?? decodeURIComponent(callback.rawQuery ?? '')
    expect([status, /^\d+$/.test(authyId)]).toEqual([expect.stringMatching(/^(approved|denied)$/), true])
    expect(text).toContain(uuid)
  },
)
