import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { InvalidInputError } from 'passport-outofband'
import { AuthyClient } from 'passport-outofband/authy'
import { startRecorder, type Recorded, type Recorder } from '../../support/recorder.js'
import { authyClientCalls, npmAuthyCalls, type Bag } from './golden-calls.js'
import { differences, differencesOf, type Difference } from './golden-differences.js'

interface GoldenCall {
  readonly client: string
  readonly call: string
  readonly args: readonly Bag[]
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query: string
    readonly body: string
  } | null
  readonly served?: { readonly status: number; readonly body: unknown }
  readonly outcome: { readonly ok: boolean }
}

interface Wire {
  readonly method: string
  readonly path: string
  /** Parameters by their names on the wire, wherever they were: query, JSON or form. */
  readonly parameters: Readonly<Record<string, string>>
}

const file = new URL('../../vectors/authy-wire.json', import.meta.url)
const { calls } = JSON.parse(readFileSync(file, 'utf8')) as { readonly calls: readonly GoldenCall[] }
const rows = calls.map(
  (golden, row) => [row, `${golden.client} ${golden.call} ${JSON.stringify(golden.args)}`] as const,
)

let recorder: Recorder
let client: AuthyClient
beforeAll(async () => {
  recorder = await startRecorder()
  client = new AuthyClient({ apiKey: 'test-api-key', baseUrl: recorder.url })
})
afterAll(async () => {
  client.close()
  await recorder.close()
})

test('the recordings are all there', () => {
  expect(calls).toHaveLength(111)
})

// Calls that ours refuses though the other client sent them, and the other way round.
const refusedByUs: ReadonlySet<Difference> = new Set([
  'no-negative-expiry',
  'default-logo',
  'details-are-text',
  'uuids-only',
  'ids-only',
  'tokens-only',
] as const)
const sentByUs: ReadonlySet<Difference> = new Set([
  'numeric-country-code',
  'longer-messages',
  'longer-tokens',
  'longer-codes',
] as const)

test.each(rows)(
  'recorded call %i (%s) is what ours sends, but for the differences that docs/authy.md lists',
  async (row) => {
    const golden = calls[row]!
    const listed = differencesOf(row)
    recorder.requests.length = 0
    const served = golden.served ?? standIn[golden.call]
    recorder.reply(served?.status ?? 500, served?.body)
    const outcome = await translate(golden).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )

    const refused = golden.request === null ? !has(listed, sentByUs) : has(listed, refusedByUs)
    if (refused) {
      expect(outcome).toEqual({ error: expect.any(InvalidInputError) })
      expect(recorder.requests).toEqual([])
      // The queued reply was not used.
      await fetch(recorder.url)
      return
    }
    expect(outcome).toHaveProperty('value')
    expect(recorder.requests).toHaveLength(1)
    const sent = recorder.requests[0]!
    expect(sent.headers['x-authy-api-key']).toBe('test-api-key')
    expect(`${sent.path}?${sent.query}${sent.body}`).not.toContain('test-api-key')
    if (golden.request === null) return
    if (listed.size === 0) {
      // No difference listed: every byte is the same.
      const { method, path, query, body } = sent
      expect({ method, path, query, body }).toEqual(recordedBytes(golden))
      return
    }
    expect(meaningOf(sent)).toEqual(applyDifferences(recordedMeaning(golden), listed, golden))
    for (const name of listed) {
      // What is listed without need would hide a mistake.
      const others = new Set([...listed].filter((other) => other !== name))
      if (isPlacement(name)) expect(sent).not.toMatchObject(recordedBytes(golden))
      else expect(meaningOf(sent), name).not.toEqual(applyDifferences(recordedMeaning(golden), others, golden))
    }
  },
)

/** A success for calls that the other client refused to send, and ours sends. */
const standIn: Readonly<Record<string, GoldenCall['served']>> = {
  registerUser: { status: 200, body: { message: 'User created successfully.', user: { id: 1635 }, success: true } },
  verifyToken: { status: 200, body: { message: 'Token is valid.', token: 'is valid', success: 'true', device: null } },
  verifyPhone: { status: 200, body: { message: 'Verification code is correct.', success: true } },
  createApprovalRequest: {
    status: 200,
    body: { approval_request: { uuid: '550e8400-e29b-41d4-a716-446655440000' }, success: true },
  },
}

function translate(golden: GoldenCall): Promise<unknown> {
  if (golden.client.startsWith('authy-client')) return authyClientCalls[golden.call]!(client, ...golden.args)
  return npmAuthyCalls[golden.call]!(client, ...(golden.args as readonly unknown[] as readonly never[]))
}

function recordedBytes({ request }: GoldenCall): object {
  const { method, path, query, body } = request!
  return { method, path, query, body }
}

function recordedMeaning({ request }: GoldenCall): Wire {
  const form = request!.body !== '' && !request!.body.startsWith('{')
  const parameters = {
    ...Object.fromEntries(new URLSearchParams(request!.query)),
    ...(form ? Object.fromEntries(new URLSearchParams(request!.body)) : flatten(request!.body)),
  }
  return { method: request!.method, path: request!.path, parameters }
}

function meaningOf({ method, path, query, body }: Recorded): Wire {
  return { method, path, parameters: { ...Object.fromEntries(new URLSearchParams(query)), ...flatten(body) } }
}

/** What the recorded request would be if its client agreed with ours on the listed points. */
function applyDifferences(
  { method, path, parameters }: Wire,
  listed: ReadonlySet<Difference>,
  golden: GoldenCall,
): Wire {
  const changed: Record<string, string> = { ...parameters }
  if (listed.has('key-in-header')) delete changed['api_key']
  if (listed.has('force-on-verify')) changed['force'] = 'true'
  if (listed.has('action-on-verify')) changed['action'] = 'x'
  if (listed.has('code-length')) changed['code_length'] = JSON.stringify(golden.args[1]?.['codeLength'] ?? 6)
  if (listed.has('false-left-out')) delete changed['force']
  if (listed.has('zero-expiry')) changed['seconds_to_expire'] = '0'
  if (listed.has('digits-of-phones'))
    for (const name of ['phone_number', 'user[cellphone]'])
      if (changed[name] !== undefined) changed[name] = changed[name].replace(/^\+57/, '').replace(/[^0-9]/g, '')
  const route = listed.has('remove-route') ? path.replace(/delete\/(\d+)$/, '$1/remove') : path
  return { method, path: route, parameters: changed }
}

function flatten(json: string): Record<string, string> {
  if (json === '') return {}
  const walk = (name: string, value: unknown): [string, string][] => {
    if (typeof value !== 'object' || value === null) return [[name, String(value)]]
    return Object.entries(value).flatMap(([key, inner]) => walk(name === '' ? key : `${name}[${key}]`, inner))
  }
  return Object.fromEntries(walk('', JSON.parse(json)))
}

/** A difference of place only: header, query or body. */
function isPlacement(name: Difference): boolean {
  return name === 'json-and-query' || name === 'query-on-get'
}

function has(listed: ReadonlySet<Difference>, kinds: ReadonlySet<Difference>): boolean {
  return [...listed].some((name) => kinds.has(name))
}

test('the differences of the test and those of docs/authy.md are the same, and each is used', () => {
  const page = readFileSync(new URL('../../../docs/authy.md', import.meta.url), 'utf8')
  const documented = [...page.split('## Differences')[1]!.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, name]) => name)
  expect(documented.sort()).toEqual(Object.keys(differences).sort())
  for (const { rows: used } of Object.values(differences)) expect(used.length).toBeGreaterThan(0)
})
