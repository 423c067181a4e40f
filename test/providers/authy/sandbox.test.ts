import { afterAll, beforeAll, expect, test } from 'vitest'
import { AuthyClient, oneTouchChannel } from 'passport-outofband/authy'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { waitFor } from '../../support/wait-for.js'

let sandbox: Sandbox
let client: AuthyClient
let authyId: string
let deviceId: string
const phone = { phone: '911 234 567', countryCode: 'PT' }
beforeAll(async () => {
  sandbox = await startSandbox()
  client = new AuthyClient({ apiKey: sandbox.authy.apiKey, baseUrl: sandbox.authy.url })
  authyId = (await client.users.create({ email: 'ana@example.com', ...phone })).authyId
  deviceId = (await sandbox.phone.enrol({ phone: '+351911234567' })).id
})
afterAll(async () => {
  client.close()
  await sandbox.close()
})

test('the code of the app is good once, and another one never', async () => {
  const { code } = sandbox.phone.code(deviceId)
  expect(await client.tokens.verify(authyId, code)).toMatchObject({ valid: true })
  expect(await client.tokens.verify(authyId, code)).toEqual({ valid: false, reason: 'used' })
  expect(await client.tokens.verify(authyId, '9999999')).toEqual({ valid: false, reason: 'wrong' })
})

test('a code that is bound to an action is good for that action', async () => {
  expect(await client.users.requestSms(authyId)).toMatchObject({ ignored: true })
  expect(await client.users.requestSms(authyId, { force: true, action: 'pay', actionMessage: 'Pay 10' })).toMatchObject(
    {
      ignored: false,
    },
  )
  const { code = '' } = await sandbox.phone.waitForMessage({ to: '+351911234567' })
  expect(await client.tokens.verify(authyId, code, { action: 'other' })).toMatchObject({ valid: false })
  expect(await client.tokens.verify(authyId, code, { action: 'pay' })).toMatchObject({ valid: true })
})

test('a phone is verified with six digits', async () => {
  const number = { phone: '912345678', countryCode: 'PT' }
  const { uuid = '' } = await client.phones.startVerification(number)
  const { code = '' } = await sandbox.phone.waitForMessage({ to: '+351912345678' })
  expect(code).toMatch(/^[0-9]{6}$/)
  expect(await client.phones.verificationStatus({ uuid })).toMatchObject({ status: 'pending' })
  expect(await client.phones.checkVerification({ ...number, code })).toMatchObject({ valid: true })
  expect(await client.phones.checkVerification({ ...number, code })).toEqual({ valid: false, reason: 'none-pending' })
})

test.each([
  ['approve', 'approved'],
  ['deny', 'denied'],
] as const)('a push that the person answers with %s is %s', async (press, status) => {
  const channel = oneTouchChannel(client)
  const recipients = [{ subject: 'ana', reference: authyId }]
  const question = { approvalId: `test-${press}`, message: 'Sign in?', details: { Place: 'Lisbon' }, recipients }
  const { reference } = await channel.start({ ...question, expiresAt: Date.now() + 60_000 }, {})
  const check = async () => (await channel.check({ reference, recipients }, {})).decisions[0]
  expect(await check()).toEqual({ reference: authyId, status: 'pending' })
  await sandbox.phone[press](reference)
  const decision = await waitFor(async () => {
    const now = await check()
    return now?.status === 'pending' ? undefined : now
  })
  expect(decision).toMatchObject({ reference: authyId, status })
})

test('everything else is answered as the client expects it', async () => {
  expect(await client.users.status(authyId)).toMatchObject({ authyId, registered: true, countryCode: 351 })
  await client.users.requestCall(authyId, { force: true })
  await client.users.requestEmail(authyId)
  await client.users.update(authyId, { email: 'b@example.com' })
  await client.users.registerActivity(authyId, { type: 'cookie_login', data: { from: 'test' }, ip: '::1' })
  expect(await client.users.generateQr(authyId, { label: 'Bank', qrSize: 200 })).toMatchObject({ label: 'Bank' })
  expect(await client.users.registrationStatus('nobody')).toEqual({ status: 'pending' })
  expect((await client.users.exportSecret(authyId)).secret).toMatch(/^[A-Z2-7]+$/)
  expect(await client.users.exportPhoneNumber(authyId)).toMatchObject({ e164: '+351911234567' })
  await client.phones.info(phone)
  await client.app.details()
  await client.app.stats()
  await expect(client.users.status(987654321)).rejects.toEqual(expect.objectContaining({ providerCode: '60026' }))
  await client.users.delete(authyId)
})
