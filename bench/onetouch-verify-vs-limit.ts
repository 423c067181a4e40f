import { createHmac } from 'node:crypto'
import { verifyOneTouchSignature } from 'passport-outofband/webhooks'
import { type Figure, pairs, summary } from './harness.js'
import { postVectors } from './vectors.js'

const callbacks = postVectors(['captured-post-approved-no-details', 'captured-post-approved-two-logos']).map(
  ({ rawBody, stringToSign, ...rest }) => ({
    received: { ...rest, rawBody: Buffer.from(rawBody) },
    canonical: Buffer.from(stringToSign),
  }),
)

function limit(times: number): void {
  for (let turn = 0; turn < times; turn += 1) {
    for (const { received, canonical } of callbacks) {
      JSON.parse(received.rawBody.toString())
      createHmac('sha256', received.apiKey).update(canonical).digest()
    }
  }
}

function ours(times: number): void {
  for (let turn = 0; turn < times; turn += 1) {
    for (const { received } of callbacks) if (!verifyOneTouchSignature(received)) throw new Error(received.name)
  }
}

export const verifyVersusLimit: Figure = {
  name: 'onetouch-verify-vs-limit',
  what: 'speed of verifyOneTouchSignature as a part of that of JSON.parse and one HMAC-SHA-256 over the canonical bytes',
  unit: 'ratio',
  atLeast: 0.5,
  measure: async () => summary(await pairs(limit, ours, { pairs: 301, times: 100, warmUp: 60 })),
}
