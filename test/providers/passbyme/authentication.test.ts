import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { PassByMeClient, PassByMeManagementClient, type PassByMeTransaction } from 'passport-outofband/passbyme'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { recorder, type Recorder } from './recorder.js'

const ALICE = 'alice@example.org'
const ID = 'node1-1.3.6.1.4.1.99999.3.3.3.148;PCq1m8'
const question = { userId: ALICE, message: 'Sign in?' }

let sandbox: Sandbox
let client: PassByMeClient
beforeAll(async () => {
  sandbox = await startSandbox()
  client = clientOf(sandbox.passbyme.url)
})
afterAll(async () => {
  client.close()
  await sandbox.close()
})
afterEach(() => sandbox.clock.reset())

function clientOf(baseUrl: string, ca = sandbox.passbyme.caFile): PassByMeClient {
  const { pemFile, passphrase } = sandbox.passbyme
  return new PassByMeClient({ baseUrl, ca, cert: pemFile, passphrase })
}

describe('the wire of 2015', () => {
  let service: Recorder
  let own: PassByMeClient
  beforeEach(async () => {
    service = await recorder(sandbox.passbyme)
    own = clientOf(`${service.url}/frontend`, service.ca)
  })
  afterEach(async () => {
    own.close()
    await service.close()
  })

  const answer = (body: unknown, status = 200): void => {
    service.answer = { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  }
  const seen = () => service.requests.map(({ method, path, body }) => [method, path, body])

  test.each([
    [question, '{"userId":"alice@example.org","message":"Sign in?"}'],
    [{ ...question, timeoutSeconds: 60 }, '{"userId":"alice@example.org","message":"Sign in?","timeout":60}'],
    [{ userId: 'ő/ű', message: '' }, '{"userId":"ő/ű","message":""}'],
  ])('starts with %j, and takes 200 and 201', async (request, body) => {
    for (const status of [200, 201]) {
      answer(ID, status)
      expect(await own.authentication.start(request)).toEqual({ transactionId: ID, code: 'PCq1m8' })
    }
    expect(seen()).toEqual([
      ['POST', '/frontend/authenticationRequest', body],
      ['POST', '/frontend/authenticationRequest', body],
    ])
    expect(service.requests[0]!.headers).toMatchObject({
      'content-type': 'application/json',
      'x-pbm-api-version': '1',
    })
  })

  test.each([
    ['PENDING', 'pending'],
    ['APPROVED', 'approved'],
    ['DENIED', 'denied'],
    ['TIMEOUT', 'expired'],
    ['SEEN', 'pending'],
    ['approved', 'pending'],
    ['__proto__', 'pending'],
  ])('reads %s as %s [SC 31]', async (status, verdict) => {
    answer(status)
    expect(await own.authentication.progress(ID)).toEqual({ status, verdict })
    const path = '/frontend/authenticationProgress/node1-1.3.6.1.4.1.99999.3.3.3.148%3BPCq1m8'
    expect(seen()).toEqual([['GET', path, '']])
  })

  it('takes the error TIMEOUT for the end that it is, and no other for one', async () => {
    answer({ code: 'TIMEOUT' }, 420)
    expect(await own.authentication.progress(ID)).toEqual({ status: 'TIMEOUT', verdict: 'expired' })
    answer({ code: 'INVALID_SESSION_ID' }, 420)
    await expect(own.authentication.progress(ID)).rejects.toMatchObject({ providerCode: 'INVALID_SESSION_ID' })
  })

  it('withdraws with a DELETE, whatever JSON comes back', async () => {
    for (const body of ['', null, { any: 'thing' }]) {
      answer(body)
      await own.authentication.cancel(ID)
    }
    const path = '/frontend/authenticationCancel/node1-1.3.6.1.4.1.99999.3.3.3.148%3BPCq1m8'
    expect(seen()).toEqual(Array.from({ length: 3 }, () => ['DELETE', path, '']))
  })

  test.each([[null], [1], [{ transactionId: ID }], [[ID]], ['short']])(
    'takes %j for no transaction [SC 86]',
    async (body) => {
      answer(body)
      await expect(own.authentication.start(question)).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
    },
  )

  test.each([[true], [null], [{ status: 'APPROVED' }], [['APPROVED']]])(
    'takes %j for no status [SC 86]',
    async (body) => {
      answer(body)
      await expect(own.authentication.progress(ID)).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
    },
  )

  test.each([
    ['no id', { userId: '' }, 'userId'],
    ['an id that is no text', { userId: 5 }, 'userId'],
    ['256 characters', { message: '🔑'.repeat(256) }, 'message'],
    ['a message that is no text', { message: null }, 'message'],
    ['no time', { timeoutSeconds: 0 }, 'timeoutSeconds'],
    ['half a second', { timeoutSeconds: 0.5 }, 'timeoutSeconds'],
    ['time as text', { timeoutSeconds: '60' }, 'timeoutSeconds'],
  ])('refuses %s before anything is sent', async (_why, over, field) => {
    const request = { ...question, ...over } as never
    await expect(own.authentication.start(request)).rejects.toMatchObject({ code: 'ERR_INPUT', field })
    expect(service.requests).toEqual([])
  })

  test.each(['', '.', '..', 'a\r\nb'])('refuses the transaction %j [SC 87]', async (id) => {
    await expect(own.authentication.progress(id)).rejects.toMatchObject({ code: 'ERR_INPUT' })
    await expect(own.authentication.cancel(id)).rejects.toMatchObject({ code: 'ERR_INPUT' })
    expect(service.requests).toEqual([])
  })
})

describe('a question over the API of 2015', () => {
  const verdictOf = async ({ transactionId }: PassByMeTransaction) =>
    (await client.authentication.progress(transactionId)).verdict

  test.each([
    ['approve', 'approved'],
    ['deny', 'denied'],
  ])('is answered on the phone, which shows the same code: %s', async (step, verdict) => {
    const asked = await client.authentication.start(question)
    expect(asked.transactionId).toMatch(/^node1-[0-9.]+;[A-Za-z0-9]{6}$/)
    expect(await verdictOf(asked)).toBe('pending')
    const push = await sandbox.phone.waitForPush({ recipient: ALICE })
    expect(push).toMatchObject({ message: 'Sign in?', compareCode: asked.code })
    await sandbox.phone.act(push.id, step)
    expect(await verdictOf(asked)).toBe(verdict)
    sandbox.clock.advance(3_600_000)
    expect(await verdictOf(asked)).toBe(verdict)
  })

  test.each(['notify', 'fail-notification', 'download'])('times out after %s', async (step) => {
    const asked = await client.authentication.start({ ...question, timeoutSeconds: 60 })
    const push = await sandbox.phone.waitForPush({ recipient: ALICE })
    await sandbox.phone.act(push.id, step)
    sandbox.clock.advance(59_000)
    expect(await verdictOf(asked)).toBe('pending')
    sandbox.clock.advance(2000)
    expect(await verdictOf(asked)).toBe('expired')
    await expect(sandbox.phone.approve(push.id)).rejects.toMatchObject({ reason: 'conflict' })
  })

  it('is over once it is withdrawn', async () => {
    const asked = await client.authentication.start(question)
    await client.authentication.cancel(asked.transactionId)
    await expect(verdictOf(asked)).rejects.toMatchObject({ providerCode: 'INVALID_SESSION_ID' })
  })

  it('and a message are two things: neither API knows the ids of the other', async () => {
    const asked = await client.authentication.start(question)
    const message = await client.sendMessage({ recipients: [ALICE], availability: 60, type: 'authorization' })
    await expect(client.trackMessage(asked.transactionId)).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
    await expect(client.authentication.progress(message.messageId)).rejects.toMatchObject({
      providerCode: 'INVALID_SESSION_ID',
    })
    await expect(client.authentication.cancel(message.messageId)).rejects.toMatchObject({
      providerCode: 'MALFORMED_INPUT',
    })
  })

  it('goes to nobody who is unknown, disabled or without a phone', async () => {
    const { managementUrl, organisationPemFile, caFile, passphrase } = sandbox.passbyme
    const credentials = { cert: organisationPemFile, ca: caFile, passphrase }
    const management = new PassByMeManagementClient({ baseUrl: managementUrl, ...credentials })
    const ask = () => client.authentication.start({ ...question, userId: 'dora' })
    await expect(ask()).rejects.toMatchObject({ providerCode: 'NO_DEVICE' })
    const user = await management.users.create({ userId: 'dora', email: 'dora@example.org' })
    await expect(ask()).rejects.toMatchObject({ providerCode: 'NO_DEVICE' })
    await sandbox.phone.enrol((await management.enrollments.create(user.oid)).deviceConfigUrl!)
    await ask()
    await management.users.modify({ ...user, disabled: true })
    await expect(ask()).rejects.toMatchObject({ providerCode: 'USER_DISABLED' })
    management.close()
  })
})
