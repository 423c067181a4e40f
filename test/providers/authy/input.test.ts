import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

/** What a stranger may have put where a string belongs. */
const strange: readonly unknown[] = [
  undefined,
  null,
  true,
  '',
  ' ',
  [],
  {},
  ['123456'],
  { 0: '1' },
  { toString: () => '1635' },
  Object.create(null),
  JSON.parse('{"__proto__":"1635"}'),
  Symbol('1635'),
  () => '1635',
  Number.NaN,
  Infinity,
]

async function refuses(call: () => Promise<unknown>, field?: string): Promise<void> {
  const before = recorder.requests.length
  const error: unknown = await call().catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(InvalidInputError)
  if (field !== undefined) expect(error).toMatchObject({ code: 'ERR_INPUT', field })
  expect(recorder.requests).toHaveLength(before)
}

describe('an Authy id', () => {
  const bad = [
    ...strange,
    '0',
    '01',
    0,
    -1,
    1.5,
    2 ** 60,
    '../users/new',
    '1635/../9',
    '1635?x=1#',
    '%31',
    '1'.repeat(21),
    '１６３５',
    '1635\n',
    ' 1635',
  ]
  test('that is none reaches no route, whatever the call [SC 87]', async () => {
    const uses: ((id: never) => Promise<unknown>)[] = [
      (id) => client.users.status(id),
      (id) => client.users.delete(id),
      (id) => client.users.update(id, { email: 'a@example.com' }),
      (id) => client.users.requestSms(id),
      (id) => client.users.requestCall(id),
      (id) => client.users.requestEmail(id),
      (id) => client.users.generateQr(id),
      (id) => client.users.registerActivity(id, { type: 'banned' }),
      (id) => client.users.exportSecret(id),
      (id) => client.users.exportPhoneNumber(id),
      (id) => client.tokens.verify(id, '1234567'),
      (id) => client.oneTouch.createApprovalRequest(id, { message: 'Hello' }),
    ]
    for (const use of uses) for (const id of bad) await refuses(() => use(id as never), 'authyId')
  })
})

test('a token is 6 to 12 digits as text, or it goes nowhere [SC 87]', async () => {
  const bad = [
    ...strange,
    '../sms',
    '12345',
    '1234567890123',
    '12345a',
    '１２３４５６',
    '123456\n',
    '123 456',
    '%2e%2e%2f',
    123456,
    1234567,
  ]
  for (const token of bad) await refuses(() => client.tokens.verify(1635, token as never), 'token')
})

test('no error shows the token that was refused [SC 19]', async () => {
  const error = await client.tokens.verify(1635, '98765432109876').catch((reason: unknown) => reason)
  expect(String((error as Error).stack)).not.toContain('98765432109876')
})

test('a phone code is 4 to 10 digits as text', async () => {
  const number = { phone: '7754615609', countryCode: 'US' }
  for (const code of [...strange, '123', '12345678901', '12a4', 1234])
    await refuses(() => client.phones.checkVerification({ ...number, code: code as never }), 'code')
})

test('an approval request is named by a UUID', async () => {
  for (const uuid of [
    ...strange,
    '..',
    '../users/1/x',
    '550e8400e29b41d4a716446655440000',
    '550e8400-e29b-41d4-a716-44665544000g',
    5,
  ])
    await refuses(() => client.oneTouch.getApprovalRequest(uuid as never), 'uuid')
})

describe('a parameter that does not exist', () => {
  test('is named, not ignored', async () => {
    await refuses(() => client.users.requestSms(1635, { forse: true } as never), 'forse')
    await refuses(() => client.users.requestCall(1635, { shortcode: true } as never), 'shortcode')
    await refuses(() => client.tokens.verify(1635, '1234567', { Force: false } as never), 'Force')
    await refuses(() => client.users.status(1635, { sginal: undefined } as never), 'sginal')
    await refuses(() => client.users.status(1635, {}, { timeout: 5 } as never), 'timeout')
    await refuses(() => client.oneTouch.createApprovalRequest(1635, { message: 'Hi', ttl: 5 } as never), 'ttl')
    await refuses(
      () => client.users.create({ email: 'a@example.com', phone: '+351911234567', admin: true } as never),
      'admin',
    )
  })
})

test.each([
  ['a flag that is text', () => client.users.requestSms(1635, { force: 'true' as never }), 'force'],
  ['an empty action', () => client.users.requestSms(1635, { action: '' }), 'action'],
  ['an action of blanks', () => client.users.requestSms(1635, { action: '   ' }), 'action'],
  ['half a character', () => client.users.requestSms(1635, { action: '\ud83d' }), 'action'],
  ['an address that is none', () => client.users.status(1635, { ip: '1.2.3' }), 'ip'],
  ['a locale that is none', () => client.users.requestSms(1635, { locale: '../x' }), 'locale'],
  ['an e-mail address that is none', () => client.users.update(1635, { email: 'a@b' }), 'email'],
  ['an e-mail address with a line end', () => client.users.update(1635, { email: 'a@example.com\n' }), 'email'],
  ['an activity that is none', () => client.users.registerActivity(1635, { type: 'kicked' as never }), 'type'],
  ['no activity', () => client.users.registerActivity(1635, undefined as never), 'input'],
  ['no message', () => client.oneTouch.createApprovalRequest(1635, {} as never), 'message'],
  ['a message of blanks', () => client.oneTouch.createApprovalRequest(1635, { message: '  ' }), 'message'],
  [
    'a message of 201 characters',
    () => client.oneTouch.createApprovalRequest(1635, { message: 'x'.repeat(201) }),
    'message',
  ],
  [
    'a detail that is a number',
    () => client.oneTouch.createApprovalRequest(1635, { message: 'x', details: { a: 5 as never } }),
    'details.a',
  ],
  [
    'a detail that is too long',
    () => client.oneTouch.createApprovalRequest(1635, { message: 'x', details: { a: 'x'.repeat(201) } }),
    'details.a',
  ],
  [
    'details in a list',
    () => client.oneTouch.createApprovalRequest(1635, { message: 'x', details: ['a'] as never }),
    'details',
  ],
  [
    'a logo twice',
    () => client.oneTouch.createApprovalRequest(1635, { message: 'x', logos: [logo(), logo()] }),
    'logos',
  ],
  [
    'a logo from a script',
    () => client.oneTouch.createApprovalRequest(1635, { message: 'x', logos: [logo('javascript:alert(1)')] }),
    'logos.0.url',
  ],
  [
    'a life in fractions',
    () => client.oneTouch.createApprovalRequest(1635, { message: 'x', expiresInSeconds: 1.5 }),
    'expiresInSeconds',
  ],
  [
    'a life without end that isn’t 0',
    () => client.oneTouch.createApprovalRequest(1635, { message: 'x', expiresInSeconds: 2 ** 31 }),
    'expiresInSeconds',
  ],
  ['a custom user id that is empty', () => client.users.registrationStatus(''), 'customUserId'],
] as const)('%s is refused by name', async (_what, call, field) => {
  await refuses(call, field)
})

function logo(url = 'https://example.com/a.png'): { res: 'default'; url: string } {
  return { res: 'default', url }
}

test('200 characters are 200 characters, also beyond the basic plane', async () => {
  recorder.reply(200, { approval_request: { uuid: '550e8400-e29b-41d4-a716-446655440000' }, success: true })
  await client.oneTouch.createApprovalRequest(1635, { message: '🏦'.repeat(200) })
  await refuses(() => client.oneTouch.createApprovalRequest(1635, { message: '🏦'.repeat(201) }), 'message')
})

test('blanks around a message are not counted, and are sent', async () => {
  recorder.reply(200, { approval_request: { uuid: '550e8400-e29b-41d4-a716-446655440000' }, success: true })
  const message = ` ${'x'.repeat(200)}\n`
  await client.oneTouch.createApprovalRequest(1635, { message })
  expect(JSON.parse(recorder.requests.at(-1)!.body)).toEqual({ message })
  await refuses(() => client.oneTouch.createApprovalRequest(1635, { message: ' '.repeat(200) }), 'message')
  await refuses(() => client.oneTouch.createApprovalRequest(1635, { message: `x${' '.repeat(400)}` }), 'message')
})
