import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authyClient, communityClient } from './official-clients.js'

// The official JavaScript clients, unmodified: only the base URL is ours.
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox()
})
afterAll(() => sandbox.close())

let nextPhone = 2_015_550_100
const phoneNumber = (): string => String(nextPhone++)

describe('npm authy-client', () => {
  const client = () => authyClient(sandbox.authy.apiKey, sandbox.authy.url)

  async function person(withApp = false): Promise<{ authyId: string; phone: string; deviceId: string }> {
    const phone = phoneNumber()
    const { user } = await client().registerUser({ countryCode: 'US', email: 'ada@example.com', phone })
    const device = withApp ? await sandbox.phone.enrol({ phone: `+1${phone}` }) : undefined
    return { authyId: String(user.id), phone: `+1${phone}`, deviceId: device?.id ?? '' }
  }

  test('registers a user, who is the same one the second time', async () => {
    const given = { countryCode: 'PT', email: 'foo@bar.com', phone: '911234567' }
    const first = await client().registerUser(given)
    const second = await client().registerUser({ ...given, email: 'other@bar.com' })
    expect(second).toEqual(first)
  })

  test('reads the status of a user, with and without an address', async () => {
    const { authyId } = await person(true)
    const { status } = await client().getUserStatus({ authyId })
    expect(status).toMatchObject({ registered: true, confirmed: false, country_code: 1, devices: ['android'] })
    await expect(client().getUserStatus({ authyId }, { ip: '127.0.0.1' })).resolves.toMatchObject({ success: true })
  })

  test('sends a code by text and verifies it once', async () => {
    const { authyId, phone } = await person()
    await client().requestSms({ authyId }, { action: 'login', message: 'Sign in' })
    const { code } = await sandbox.phone.waitForMessage({ to: phone, text: /Sign in/ })
    await expect(client().verifyToken({ authyId, token: code }, { force: true })).rejects.toThrow()
    await client().requestSms({ authyId })
    const { code: plain } = await sandbox.phone.waitForMessage({ to: phone, text: /^Your/ })
    await expect(client().verifyToken({ authyId, token: plain }, { force: true })).resolves.toMatchObject({
      success: 'true',
    })
    await expect(client().verifyToken({ authyId, token: plain }, { force: true })).rejects.toMatchObject({
      message: 'Token is invalid. Token was used recently.',
    })
  })

  test('calls, and says that a call is not needed for somebody with the app', async () => {
    const plain = await person()
    await client().requestCall({ authyId: plain.authyId })
    await sandbox.phone.waitForMessage({ to: plain.phone, kind: 'voice' })
    const withApp = await person(true)
    await expect(client().requestCall({ authyId: withApp.authyId })).resolves.toMatchObject({ ignored: true })
    await expect(client().requestSms({ authyId: withApp.authyId })).resolves.toMatchObject({ ignored: true })
    await expect(client().requestSms({ authyId: withApp.authyId }, { force: true })).resolves.not.toHaveProperty(
      'ignored',
    )
  })

  test('verifies the code that the app shows', async () => {
    const { authyId, deviceId } = await person(true)
    const { code } = sandbox.phone.code(deviceId)
    await expect(client().verifyToken({ authyId, token: code }, { force: true })).resolves.toMatchObject({
      token: 'is valid',
    })
  })

  test('verifies a phone number without a user', async () => {
    const phone = phoneNumber()
    await client().startPhoneVerification({ countryCode: 'US', phone, via: 'sms' }, { codeLength: 6, locale: 'es' })
    const { code } = await sandbox.phone.waitForMessage({ to: `+1${phone}` })
    const check = { countryCode: 'US', phone, token: code }
    await expect(client().verifyPhone(check)).resolves.toMatchObject({ message: 'Verification code is correct.' })
    await expect(client().verifyPhone(check)).rejects.toThrow()
    await client().startPhoneVerification({ countryCode: 'US', phone: phoneNumber(), via: 'call' })
  })

  test('asks about a phone number', async () => {
    await expect(client().getPhoneInformation({ countryCode: 'US', phone: phoneNumber() })).resolves.toMatchObject({
      type: 'cellphone',
      ported: false,
    })
  })

  test('reads the application and its statistics', async () => {
    await expect(client().getApplicationDetails()).resolves.toMatchObject({ app: { app_id: 3 } })
    const { stats, count } = await client().getApplicationStatistics({ ip: '127.0.0.1' })
    expect(stats).toHaveLength(count)
  })

  test('reports activity', async () => {
    const { authyId } = await person()
    await client().registerActivity({ authyId, data: { reason: 'foo' }, type: 'banned' }, { ip: '127.0.0.1' })
    expect(sandbox.authy.activities().at(-1)).toMatchObject({ type: 'banned', data: { reason: 'foo' } })
  })

  test('asks for an approval and reads what became of it', async () => {
    const { authyId, phone } = await person(true)
    const { approval_request: created } = await client().createApprovalRequest(
      {
        authyId,
        message: 'Sign in?',
        details: { visible: { Place: 'Lisbon' }, hidden: { ip: '10.0.0.1' } },
        logos: [{ res: 'default', url: 'https://logos.example/a.png' }],
      },
      { ttl: 120 },
    )
    const push = await sandbox.phone.waitForPush({ recipient: phone })
    expect(push).toMatchObject({
      id: created.uuid,
      message: 'Sign in?',
      details: [{ label: 'Place', value: 'Lisbon' }],
    })
    const pending = await client().getApprovalRequest({ id: created.uuid })
    expect(pending.approval_request).toMatchObject({ status: 'pending', processed_at: null, seconds_to_expire: 120 })
    await sandbox.phone.approve(push.id)
    const answered = await client().getApprovalRequest({ id: created.uuid })
    expect(answered.approval_request.status).toBe('approved')
  })

  test('deletes a user', async () => {
    const { authyId } = await person()
    await expect(client().deleteUser({ authyId })).resolves.toMatchObject({ success: true })
    const { status } = await client().getUserStatus({ authyId })
    expect(status).toMatchObject({ account_disabled: true })
  })

  test('understands each refusal', async () => {
    const stranger = authyClient('sandboxwrong', sandbox.authy.url)
    await expect(stranger.getApplicationDetails()).rejects.toMatchObject({ code: 401 })
    await expect(client().getUserStatus({ authyId: '999999' })).rejects.toMatchObject({ code: 404 })
    await expect(client().getApprovalRequest({ id: 'nope' })).rejects.toMatchObject({ code: 404 })
  })
})

describe('npm authy', () => {
  const call = (method: string, ...args: unknown[]) =>
    communityClient(sandbox.authy.apiKey, sandbox.authy.url)(method, ...args)

  test('does all that it can with a user', async () => {
    const phone = phoneNumber()
    const { user } = await call('register_user', 'bob@example.com', phone, '1', false)
    expect(await call('user_status', user.id)).toMatchObject({ status: { authy_id: user.id, registered: false } })
    await call('request_sms', user.id)
    const { code } = await sandbox.phone.waitForMessage({ to: `+1${phone}` })
    expect(await call('verify', user.id, code, true)).toMatchObject({ token: 'is valid' })
    await expect(call('verify', user.id, code, true)).rejects.toMatchObject({ error_code: '60019' })
    await expect(call('verify', user.id, '12', true)).rejects.toMatchObject({ error_code: '60020' })
    expect(await call('request_call', user.id, true)).toMatchObject({ message: 'Call started...' })
    expect(await call('delete_user', user.id)).toMatchObject({ success: true })
  })

  test('verifies a phone number, with the parameters of a GET in its body', async () => {
    const phone = phoneNumber()
    await call('phones.verification_start', phone, '1', { via: 'sms', code_length: '5', locale: 'en' })
    const { code } = await sandbox.phone.waitForMessage({ to: `+1${phone}` })
    expect(code).toHaveLength(5)
    expect(await call('phones.verification_status', phone, '1')).toMatchObject({ status: 'pending' })
    await expect(call('phones.verification_check', phone, '1', '99999x')).rejects.toMatchObject({ error_code: '60022' })
    expect(await call('phones.verification_check', phone, '1', code)).toMatchObject({ success: true })
    expect(await call('phones.verification_status', phone, '1')).toMatchObject({ status: 'verified' })
    expect(await call('phones.info', phone, '1')).toMatchObject({ type: 'cellphone' })
  })

  test('asks for an approval with details and indexed logos in a form', async () => {
    const phone = phoneNumber()
    const { user } = await call('register_user', 'eve@example.com', phone)
    await sandbox.phone.enrol({ phone: `+1${phone}` })
    const logos = [
      { res: 'default', url: 'https://logos.example/a.png' },
      { res: 'low', url: 'https://logos.example/b.png' },
    ]
    const payload = { message: 'Pay?', details: { 'Account Number': '981266321' }, seconds_to_expire: 60 }
    const { approval_request: created } = await call(
      'send_approval_request',
      user.id,
      payload,
      { ip: '10.0.0.1' },
      logos,
    )
    await sandbox.phone.deny({ recipient: `+1${phone}` })
    expect(await call('check_approval_status', created.uuid)).toMatchObject({ approval_request: { status: 'denied' } })
  })
})
