import { createSendLimits, SendLimitedError } from 'passport-outofband'
import { AuthyClient } from 'passport-outofband/authy'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

let sandbox: Sandbox
let client: AuthyClient
beforeAll(async () => {
  sandbox = await startSandbox({ authy: { rateLimit: false } })
})
afterAll(() => sandbox.close())
beforeEach(() => {
  const { apiKey, url } = sandbox.authy
  const total = [{ max: 3, windowSeconds: 3600 }]
  client = new AuthyClient({
    apiKey,
    baseUrl: url,
    sendLimits: createSendLimits({ state: new MemoryStateStore(), total }),
  })
  sandbox.phone.clearMessages()
})

const limited = (scope: string) => expect.objectContaining({ code: 'ERR_SEND_LIMITED', status: 429, scope }) as unknown

async function register(phone: string): Promise<string> {
  const user = { email: 'a@example.com', phone, countryCode: 1, sendInstallLink: false }
  return (await client.users.create(user)).authyId
}

test.each(['requestSms', 'requestCall', 'requestEmail'] as const)(
  '%s counts before Authy is asked, and a burst ends there [SC 22]',
  async (method) => {
    const authyId = await register('2015550101')
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => client.users[method](authyId)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(sandbox.phone.messages()).toHaveLength(3)
    await expect(client.users[method](authyId)).rejects.toEqual(limited('recipient'))
  },
)

test('a phone verification counts by number, and by the address that asked for it [SC 22]', async () => {
  const { apiKey, url } = sandbox.authy
  const state = new MemoryStateStore()
  const perAddress = [{ max: 2, windowSeconds: 60 }]
  const perRecipient = [{ max: 1, windowSeconds: 60 }]
  client = new AuthyClient({ apiKey, baseUrl: url, sendLimits: createSendLimits({ state, perAddress, perRecipient }) })
  const start = (phone: string, ip?: string) => client.phones.startVerification({ phone, countryCode: 'US', ip })
  await start('(201) 555-0110', '192.0.2.1')
  // The same number in another spelling.
  await expect(start('+1 201 555 0110')).rejects.toEqual(limited('recipient'))
  await start('2015550111', '192.0.2.1')
  await expect(start('2015550112', '192.0.2.1')).rejects.toEqual(limited('address'))
  expect(sandbox.phone.messages()).toHaveLength(2)
})

test('the text message with the link to the app counts, unless it is not sent [SC 22]', async () => {
  const person = (index: number) => ({ email: 'a@example.com', phone: `201555012${index}`, countryCode: 1 })
  for (let index = 0; index < 3; index += 1) await client.users.create(person(index))
  await expect(client.users.create(person(4))).rejects.toThrow(SendLimitedError)
  await expect(client.users.create({ ...person(4), sendInstallLink: false })).resolves.toBeDefined()
})

test('what sends nothing is not counted, and neither is what was refused before it was sent', async () => {
  const authyId = await register('2015550102')
  for (let index = 0; index < 10; index += 1) {
    await client.users.status(authyId)
    await client.tokens.verify(authyId, '1234567')
    await expect(client.users.requestSms('../sms')).rejects.toMatchObject({ code: 'ERR_INPUT' })
  }
  await expect(client.users.requestSms(authyId)).resolves.toMatchObject({ ignored: false })
})
