import { AuthyClient } from 'passport-outofband/authy'
import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'

// Our client and our stand-in share the names on the wire and nothing else; each was written from the protocol.
let sandbox: Sandbox
let authy: AuthyClient

beforeAll(async () => {
  sandbox = await startSandbox({ authy: { rateLimit: false } })
  authy = new AuthyClient({ apiKey: sandbox.authy.apiKey, baseUrl: sandbox.authy.url })
})
afterAll(() => sandbox.close())

test('the example of the guide works', async () => {
  const { authyId } = await authy.users.create({ email: 'ada@example.com', phone: '2015550100', countryCode: '1' })
  await sandbox.phone.enrol({ phone: '+12015550100' })
  const { uuid } = await authy.oneTouch.createApprovalRequest(authyId, { message: 'Sign in?' })
  const push = await sandbox.phone.waitForPush({ recipient: '+12015550100' })
  await sandbox.phone.approve(push)
  expect(await authy.oneTouch.getApprovalRequest(uuid)).toMatchObject({ status: 'approved' })
})

test('our client gets through every call about a user', async () => {
  const { authyId } = await authy.users.create({ email: 'bob@example.com', phone: '2015550101', countryCode: '1' })
  expect(await authy.users.status(authyId)).toMatchObject({ registered: false, confirmed: false })
  await authy.users.requestSms(authyId, { action: 'pay', actionMessage: 'Pay 10 EUR' })
  const { code: bound = '' } = await sandbox.phone.waitForMessage({ to: '+12015550101', text: /Pay 10 EUR/ })
  expect(await authy.tokens.verify(authyId, bound)).toMatchObject({ valid: false })
  expect(await authy.tokens.verify(authyId, bound, { action: 'pay' })).toMatchObject({ valid: true })
  expect(await authy.tokens.verify(authyId, bound, { action: 'pay' })).toMatchObject({ valid: false })
  await authy.users.requestCall(authyId)
  await sandbox.phone.waitForMessage({ to: '+12015550101', kind: 'voice' })
  await authy.users.update(authyId, { email: 'robert@example.com' })
  await authy.users.requestEmail(authyId)
  await sandbox.phone.waitForMessage({ to: 'robert@example.com', kind: 'mail' })
  await authy.users.registerActivity(authyId, { type: 'password_reset' })
  expect((await authy.users.generateQr(authyId, { qrSize: 200 })).qrCode).toContain('.png')
  expect(await authy.users.exportSecret(authyId)).toMatchObject({ secret: expect.stringMatching(/^[A-Z2-7]{32}$/) })
  expect(await authy.users.exportPhoneNumber(authyId)).toMatchObject({ e164: '+12015550101' })
  await authy.users.delete(authyId)
  expect(await authy.users.status(authyId)).toMatchObject({ accountDisabled: true })
})

test('a registration code that our client makes is taken by the phone', async () => {
  const app = await authy.app.details()
  const { url } = await authy.users.createRegistration({ customUserId: 'c-1', appId: app.appId, appName: app.name })
  expect(await authy.users.registrationStatus('c-1')).toEqual({ status: 'pending' })
  await sandbox.phone.enrol(url)
  expect(await authy.users.registrationStatus('c-1')).toMatchObject({ status: 'completed' })
})

test('our client gets through every call about a phone and the application', async () => {
  const phone = { phone: '2015550102', countryCode: '1' }
  const { uuid } = await authy.phones.startVerification({ ...phone, via: 'sms' })
  expect(await authy.phones.verificationStatus({ uuid: uuid ?? '' })).toMatchObject({ status: 'pending' })
  const { code = '' } = await sandbox.phone.waitForMessage({ to: '+12015550102' })
  expect(await authy.phones.checkVerification({ ...phone, code: '000000' })).toMatchObject({
    valid: false,
    reason: 'wrong',
  })
  expect(await authy.phones.checkVerification({ ...phone, code })).toMatchObject({ valid: true })
  expect(await authy.phones.info(phone)).toMatchObject({ type: 'cellphone' })
  expect((await authy.app.stats()).totalUsers).toBeGreaterThan(0)
})
