import { readFileSync } from 'node:fs'
import { startSandbox } from 'passport-outofband/sandbox'
import { expect, test } from 'vitest'
import { rawRequest } from './raw-client.js'

interface Recorded {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const file = new URL('../vectors/authy-wire.json', import.meta.url)
const { calls } = JSON.parse(readFileSync(file, 'utf8')) as { calls: { request: Recorded | null }[] }
const recorded = calls.flatMap(({ request }) => (request ? [request] : []))

// Hostile paths that the clients let through, and tokens, codes and expiries that the service refuses.
const refusals: Readonly<Record<string, number>> = {
  'GET /onetouch/json/approval_requests 60049': 4,
  'GET /onetouch/json/approval_requests 60002': 1,
  'GET /protected/json/users 60026': 1,
  'GET /protected/json/verify 60020': 5,
  'GET /protected/json/phones 60022': 2,
  'POST /onetouch/json/users 60004': 2,
}

test('understands every request that was recorded from the official clients', async () => {
  const apiKey = 'sandboxtestapikey'
  const sandbox = await startSandbox({ authy: { apiKey, rateLimit: false, enrolAtOnce: true } })
  try {
    const refused: Record<string, number> = {}
    for (const { method, path, query, headers, body } of recorded) {
      const { 'content-length': _length, 'transfer-encoding': _encoding, ...rest } = headers
      const sent = { ...rest, ...(rest['x-authy-api-key'] ? { 'x-authy-api-key': apiKey } : {}) }
      const target = query === '' ? path : `${path}?${query.replaceAll('test-api-key', apiKey)}`
      const answer = await rawRequest(sandbox.authy.url, method, target, sent, body || undefined)
      const place = `${method} ${path.split('/').slice(0, 4).join('/')} ${String(answer.json['error_code'])}`
      if (answer.status !== 200) refused[place] = (refused[place] ?? 0) + 1
    }
    expect(recorded.length).toBeGreaterThan(60)
    expect(refused).toEqual(refusals)
  } finally {
    await sandbox.close()
  }
})
