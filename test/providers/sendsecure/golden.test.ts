import { readFileSync } from 'node:fs'
import { InvalidInputError, ProviderRejectedError } from 'passport-outofband'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cases, type Exchange, type GoldenCase } from './golden/cases.js'
import { differences } from './golden/differences.js'
import { camel, perform } from './golden/perform.js'
import { meaningOf, Replay, type Meaning } from './golden/replay.js'

// Answers to what this client asks in addition: the audit record itself, a SafeBox by its guid, a user's profiles.
const named = (name: string): Exchange[] => cases.find((golden) => golden.name === name)!.exchanges
const pdf: Exchange = structuredClone(named('enterprise_settings').at(-1)!)
pdf.request.path = '/s/5f0c1d7ab93e4c26a1e87d4b0c6f2a91.pdf'
pdf.response = { status: 200, headers: { 'content-type': 'application/pdf' }, body: { text: '%PDF-1.4' } }
const notFound: Exchange = structuredClone(named('safebox_info.403').at(-1)!)
notFound.request.path = '/api/v2/safeboxes/ffffffffffffffffffffffffffffffff'
notFound.response.status = 404

const used = new Set<string>()
let replay: Replay

beforeAll(async () => {
  replay = await new Replay([
    pdf,
    notFound,
    ...[
      'enterprise_settings',
      'security_profiles',
      'safebox_info.all',
      'safeboxes.no_filter',
      'user_settings',
      'user_token',
    ].flatMap(named),
  ]).start()
})
afterAll(() => replay.close())

function expected(golden: GoldenCase): Meaning[] {
  let requests = golden.exchanges.map(meaningOf)
  for (const difference of differences) {
    const changed = difference.apply(requests, golden)
    if (JSON.stringify(changed) !== JSON.stringify(requests)) used.add(difference.id)
    requests = changed
  }
  return requests
}

// Independent calls (settings and profiles) run at the same time; everything else has an order that the server enforces.
const sorted = (requests: Meaning[]): string[] => requests.map((entry) => JSON.stringify(canonical(entry))).sort()

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entry]) => [name, canonical(entry)]),
  )
}

describe.each(cases)('$name', (recorded) => {
  test('is the recorded call, but for the differences that the guide lists', async () => {
    const golden = replay.fill(recorded)
    replay.load(recorded)
    const outcome = await perform(golden).then(
      (value) => ({ value, error: undefined }),
      (error: unknown) => ({ value: undefined, error }),
    )
    const wanted = replay.fill(expected(recorded))
    if (/^(submit_safebox|default_security_profile)/.test(recorded.name))
      expect(sorted(replay.seen)).toEqual(sorted(wanted))
    else expect(replay.seen).toEqual(wanted)
    compareOutcomes(golden, outcome)
  })
})

// Cases in which the recorded client fails over its own mistakes, or succeeds where the reference says it must not.
const otherOutcome = new Set([
  'user_token.portal_host_without_trailing_slash',
  'discovery.no_trailing_slash',
  'discovery.trailing_newline',
  'discovery.empty_body',
  'user_settings.without_argument',
  'safeboxes.absolute_url',
  'submit_safebox.no_default_profile',
  'audit_record_pdf',
  'upload_attachment.missing_path',
  'get_safebox.found',
  'get_safebox.not_found',
  'transport.success_not_json',
  'transport.redirect_other_origin',
  'commit_safebox.no_checks',
  'commit_safebox.400_attributes',
  'safeboxes.per_page_1001',
])

function compareOutcomes(golden: GoldenCase, { value, error }: { value: unknown; error: unknown }): void {
  const { ok, returns, raises } = golden.clientOutcome
  if (otherOutcome.has(golden.name)) return
  if (ok) {
    expect(error).toBeUndefined()
    expectAgreement(camel(returns), value)
    return
  }
  if (raises?.code === 1) {
    expect(error).toBeInstanceOf(InvalidInputError)
    expect((error as Error).message).toContain(raises.message)
    return
  }
  expect(error).toBeInstanceOf(ProviderRejectedError)
  if (typeof raises?.code === 'number') expect((error as ProviderRejectedError).providerCode).toBe(String(raises.code))
}

/** Every field that the recorded client returned and that this one has too says the same. */
function expectAgreement(theirs: unknown, ours: unknown, path = ''): void {
  if (theirs === undefined || theirs === null || ours === undefined) return
  if (ours instanceof Date) return expect(ours.toISOString(), path).toBe(theirs)
  if (Array.isArray(theirs)) {
    expect(ours, path).toHaveLength(theirs.length)
    theirs.forEach((entry, index) => expectAgreement(entry, (ours as unknown[])[index], `${path}[${index}]`))
    return
  }
  if (typeof theirs === 'object') {
    for (const [name, entry] of Object.entries(theirs))
      if (name !== 'contentType' && name in (ours as object))
        expectAgreement(entry, Reflect.get(ours as object, name), `${path}.${name}`)
    return
  }
  expect(JSON.stringify(ours).replaceAll('"', ''), path).toBe(JSON.stringify(theirs).replaceAll('"', ''))
}

test('each listed difference is met by a recorded call, and the guide gives the reason of each', () => {
  const ids = [...new Set(differences.map(({ id }) => id))].sort()
  expect([...used].sort()).toEqual(ids)
  const guide = readFileSync(new URL('../../../docs/sendsecure.md', import.meta.url), 'utf8')
  const [, section = ''] = guide.split('## Differences from the recorded calls')
  const rows = [...section.matchAll(/^\| `([a-z-]+)` +\|/gm)].map((row) => row[1]!)
  expect(rows.sort()).toEqual(ids)
})
