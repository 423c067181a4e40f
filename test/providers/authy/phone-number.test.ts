import fc from 'fast-check'
import { getCountries, getExampleNumber } from 'libphonenumber-js/max'
import examples from 'libphonenumber-js/mobile/examples'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { InvalidInputError } from 'passport-outofband'
import { AuthyClient } from 'passport-outofband/authy'
import { startRecorder, type Recorder } from '../../support/recorder.js'

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

/** How a number goes out: `cc national`. */
async function sent(phone: string, countryCode?: string | number): Promise<string> {
  recorder.reply(200, { message: 'sent', success: true })
  await client.phones.startVerification({ phone, countryCode })
  const body = JSON.parse(recorder.requests.at(-1)!.body) as { country_code: number; phone_number: string }
  return `${body.country_code} ${body.phone_number}`
}

test('one number is one number, in whatever notation it is given [SC 21]', async () => {
  const notations = [
    ['911234567', 'PT'],
    ['911 234 567', 'pt'],
    ['911-234-567', 351],
    ['(911) 234.567', '351'],
    ['+351 911 234 567', '+351'],
    ['+351911234567', undefined],
    ['+351 911 234 567', 'PT'],
  ] as const
  for (const [phone, country] of notations) expect(await sent(phone, country)).toBe('351 911234567')
  expect(await sent('07911 123456', 'GB')).toBe('44 7911123456')
  expect(await sent('+44 (0) 7911 123456')).toBe('44 7911123456')
  expect(await sent('(775) 461-5609', 'US')).toBe('1 7754615609')
  expect(await sent('+1 416 555 0123', 'US')).toBe('1 4165550123')
})

test('an example of every country goes out the same in national form and as E.164 [SC 21]', async () => {
  for (const country of getCountries()) {
    const number = getExampleNumber(country, examples)
    if (!number) continue
    const expected = `${number.countryCallingCode} ${number.nationalNumber}`
    expect(await sent(number.formatNational(), country), country).toBe(expected)
    expect(await sent(number.number), country).toBe(expected)
  }
})

test('a number that libphonenumber does not know goes out as it is: the verdict is the service’s', async () => {
  expect(await sent('111-111-1111', '1')).toBe('1 1111111111')
  expect(await sent('509-555-1212', '57')).toBe('57 5095551212')
  expect(await sent('1234', 290)).toBe('290 1234')
  expect(await sent('+999 12345678', 999)).toBe('999 12345678')
})

test('a number of another country than the one that is given is refused, not guessed', async () => {
  const before = recorder.requests.length
  const bad: readonly (readonly [unknown, unknown?])[] = [
    ['+351911234567', 'US'],
    ['+1 775 461 5609', 351],
    ['911234567'],
    ['911234567', 'ZZ'],
    ['911234567', 'PRT'],
    ['911234567', ''],
    ['911234567', 0],
    ['911234567', 1234],
    ['911234567', -351],
    ['911234567', 1.5],
    ['911234567', ['PT']],
    ['123', 'PT'],
    ['', 'PT'],
    ['abc', 'PT'],
    ['911234567;ext=5', 'PT'],
    ['911234567\r\n', 'PT'],
    ['９１１２３４５６７', 'PT'],
    [911234567, 'PT'],
    [['911234567'], 'PT'],
    ['+', 'PT'],
    ['1'.repeat(60), 'PT'],
  ]
  for (const [phone, countryCode] of bad) {
    const call = client.phones.startVerification({ phone, countryCode } as never)
    await expect(call, JSON.stringify([phone, countryCode])).rejects.toBeInstanceOf(InvalidInputError)
  }
  expect(recorder.requests).toHaveLength(before)
})

test('whatever is given, what goes out are digits', async () => {
  const character = fc.constantFrom(...Array.from('0123456789+-() ./x'))
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: character, maxLength: 24 }),
      fc.constantFrom('PT', 'US', 44, '52', undefined),
      async (phone, country) => {
        const before = recorder.requests.length
        const outcome = await sent(phone, country).catch((error: unknown) => error)
        if (outcome instanceof InvalidInputError) {
          expect(recorder.requests).toHaveLength(before)
          // The reply that was queued for it.
          await fetch(recorder.url)
        } else expect(outcome).toMatch(/^[1-9][0-9]{0,2} [0-9]{1,17}$/)
      },
    ),
    { numRuns: 200 },
  )
})
