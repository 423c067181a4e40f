import { Client } from './authy-client.js'
import { verifyOneTouchSignature } from 'passport-outofband/webhooks'
import { type Figure, pairs, summary } from './harness.js'
import { postVectors } from './vectors.js'

// It refuses every captured callback (it wants device_uuid as text), so these are ones that it accepts.
const callbacks = postVectors(['array-duplicate-values', 'two-logos', 'published-authy-client-example']).map(
  (vector) => {
    const { protocol, host, pathname } = new URL(vector.url)
    return {
      received: { ...vector, rawBody: Buffer.from(vector.rawBody) },
      client: new Client({ key: vector.apiKey }),
      request: {
        // Parsed beforehand: what it costs to get there is not counted against it.
        body: JSON.parse(vector.rawBody) as unknown,
        headers: { host, 'x-authy-signature': vector.signature, 'x-authy-signature-nonce': vector.nonce },
        method: vector.method,
        protocol: protocol.slice(0, -1),
        url: pathname,
      },
    }
  },
)

async function theirs(times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) {
    for (const { client, request } of callbacks) await client.verifyCallback(request)
  }
}

function ours(times: number): void {
  for (let turn = 0; turn < times; turn += 1) {
    for (const { received } of callbacks) if (!verifyOneTouchSignature(received)) throw new Error(received.name)
  }
}

export const verifyVersusAuthyClient: Figure = {
  name: 'onetouch-verify-vs-authy-client',
  what: 'how many callbacks verifyOneTouchSignature verifies while authy-client’s verifyCallback verifies one, already parsed',
  unit: 'times',
  atLeast: 5,
  measure: async () => summary(await pairs(theirs, ours, { pairs: 41, times: 50, warmUp: 10 })),
}
