import { createRequire } from 'node:module'
import fc from 'fast-check'
import { getCountries, getCountryCallingCode, getExampleNumber, type Examples } from 'libphonenumber-js/max'
import { AuthyClient } from 'passport-outofband/authy'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { authyClient, type AuthyClient as OfficialClient } from '../../sandbox/official-clients.js'
import { startRecorder, type Recorder } from '../../support/recorder.js'
import { authyClientCalls, type Bag } from './golden-calls.js'

// Beyond the recordings: npm authy-client and ours are given the same, and what they send is compared byte for byte.
let recorder: Recorder
let ours: AuthyClient
let theirs: OfficialClient
beforeAll(async () => {
  recorder = await startRecorder()
  ours = new AuthyClient({ apiKey: 'test-api-key', baseUrl: recorder.url })
  theirs = authyClient('test-api-key', recorder.url)
})
afterAll(async () => {
  ours.close()
  await recorder.close()
})

async function sentBy(send: () => Promise<unknown>): Promise<object> {
  recorder.requests.length = 0
  recorder.reply(200, {})
  await send().catch(() => undefined)
  expect(recorder.requests).toHaveLength(1)
  const { method, path, query, body } = recorder.requests[0]!
  return { method, path, query, body }
}

async function compare(call: keyof OfficialClient, ...args: readonly Bag[]): Promise<void> {
  const expected = await sentBy(() => theirs[call](...(args as [object])))
  expect(await sentBy(() => authyClientCalls[call]!(ours, ...args))).toEqual(expected)
}

const marks = fc.constantFrom(...Array.from('aZ9 +&=%€😀\'()*!~/?#,;:@[]"<\\|{\né-_.'))
const words = fc.array(marks, { maxLength: 20 }).map((parts) => `x${parts.join('')}`)
const hash = fc.dictionary(words, words, { minKeys: 1, maxKeys: 4 })
const ip = fc.option(fc.record({ ip: fc.constantFrom('::1', '192.0.2.1') }), { nil: {} })
const user = fc.record({ authyId: fc.constantFrom<string | number>(1635, '1635', '90071992547409931') })
const sending = fc.record({ force: fc.boolean(), action: words, message: words }, { requiredKeys: [] })
const logos = fc.constantFrom(
  [{ res: 'default', url: 'https://example.com/a b.png?x=é&y' }],
  [
    { res: 'low', url: 'http://example.com' },
    { res: 'default', url: 'https://example.com/default.png' },
  ],
)

test.each<readonly [call: keyof OfficialClient, args: fc.Arbitrary<readonly Bag[]>]>([
  ['requestSms', fc.tuple(user, sending)],
  ['requestCall', fc.tuple(user, sending)],
  [
    'verifyToken',
    fc.tuple(
      user.map((one) => ({ ...one, token: '0123456' })),
      fc.constant({ force: true }),
    ),
  ],
  [
    'registerActivity',
    fc.tuple(
      fc.record(
        {
          authyId: fc.constant(1635),
          type: fc.constantFrom('password_reset', 'banned', 'unbanned', 'cookie_login'),
          data: hash,
        },
        { requiredKeys: ['authyId', 'type'] },
      ),
      ip,
    ),
  ],
  ['deleteUser', fc.tuple(user, ip)],
  ['getApplicationDetails', fc.tuple(ip)],
  ['getApplicationStatistics', fc.tuple(ip)],
  ['getPhoneInformation', fc.tuple(fc.constant({ countryCode: 'PT', phone: '911234567' }), ip)],
  [
    'createApprovalRequest',
    fc.tuple(
      fc.record(
        {
          authyId: fc.constant(1635),
          message: words,
          logos,
          details: fc.record({ visible: hash, hidden: hash }, { requiredKeys: [] }),
        },
        { requiredKeys: ['authyId', 'message'] },
      ),
      fc.record({ ttl: fc.constantFrom(0, 1, 86_400, 2_147_483_647) }, { requiredKeys: [] }),
    ),
  ],
])('%s sends what authy-client sends, whatever it is given', async (call, args) => {
  await fc.assert(
    fc.asyncProperty(args, (given) => compare(call, ...given)),
    { numRuns: 30 },
  )
})

test('the example number of each country is sent as authy-client sends it, however it is written', async () => {
  const examples = createRequire(import.meta.url)('libphonenumber-js/mobile/examples') as Examples
  let compared = 0
  for (const country of getCountries()) {
    const number = getExampleNumber(country, examples)
    if (!number) continue
    const callingCode = getCountryCallingCode(country)
    for (const [countryCode, phone] of [
      [country, number.formatNational()],
      [callingCode, number.number],
    ]) {
      await compare('registerUser', { countryCode, phone, email: 'a@example.com' })
      compared += 1
    }
  }
  expect(compared).toBeGreaterThan(450)
}, 60_000)
