import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { verifyOneTouchSignature } from 'passport-outofband/webhooks'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { authyClient } from './official-clients.js'

interface Received {
  readonly method: string
  readonly url: string
  readonly query: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let sandbox: Sandbox
let receiver: Server
let url: string
let authyId: string
let received: Received[]
let answerWith: number[]

beforeEach(async () => {
  received = []
  answerWith = []
  receiver = createServer((incoming, response) => {
    let body = ''
    incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    incoming.on('end', () => {
      const [path = '', query = ''] = (incoming.url ?? '').split('?')
      received.push({ method: incoming.method ?? '', url: path, query, headers: incoming.headers, body })
      response.writeHead(answerWith.shift() ?? 200, { location: '/elsewhere' }).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const address = receiver.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/authy/callback`
  sandbox = await startSandbox({ authy: { callback: { url }, rateLimit: false } })
  const client = authyClient(sandbox.authy.apiKey, sandbox.authy.url)
  const { user } = await client.registerUser({ countryCode: 'US', email: 'ada@example.com', phone: '2015550100' })
  authyId = String(user.id)
  await sandbox.phone.enrol({ phone: '+12015550100' })
})
afterEach(async () => {
  await sandbox.close()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

async function ask(extra: object = {}): Promise<string> {
  const client = authyClient(sandbox.authy.apiKey, sandbox.authy.url)
  const created = await client.createApprovalRequest({ authyId, message: 'Pay?', ...extra })
  return created.approval_request.uuid
}

const arrived = (count: number) => vi.waitFor(() => expect(received).toHaveLength(count), { timeout: 5000 })

function isValid(message: Received): boolean {
  return verifyOneTouchSignature({
    apiKey: sandbox.authy.apiKey,
    signature: message.headers['x-authy-signature'],
    nonce: message.headers['x-authy-signature-nonce'],
    method: message.method,
    url,
    rawBody: message.method === 'POST' ? message.body : undefined,
    rawQuery: message.method === 'GET' ? message.query : undefined,
  })
}

test('sends a signed POST of the documented form when the person has approved', async () => {
  const details = { visible: { 'Account Number': '98126', amount: 'a/b~c!' }, hidden: { ip: '10.0.0.1' } }
  const uuid = await ask({ details })
  await sandbox.phone.approve(uuid)
  await arrived(1)
  const [message] = received
  expect(message?.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'Authy API',
    'accept-encoding': 'gzip',
    'content-length': String(Buffer.byteLength(message?.body ?? '')),
    'x-authy-signature': expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
    'x-authy-signature-nonce': expect.stringMatching(/^[0-9]{10}$/),
  })
  expect(message?.headers).not.toHaveProperty('transfer-encoding')
  expect(JSON.parse(message?.body ?? '')).toMatchObject({
    authy_id: Number(authyId),
    device_uuid: expect.any(Number),
    callback_action: 'approval_request_status',
    uuid,
    status: 'approved',
    approval_request: {
      transaction: {
        details: details.visible,
        hidden_details: details.hidden,
        flagged: false,
        status: 'approved',
        uuid,
      },
      logos: null,
      app_id: sandbox.authy.appId,
    },
  })
  expect(message && isValid(message)).toBe(true)
})

test('the validator of npm authy-client takes a callback when device_uuid is sent as text', async () => {
  sandbox.authy.callback = { url, deviceUuid: 'text' }
  await sandbox.phone.approve(await ask())
  await arrived(1)
  const client = authyClient(sandbox.authy.apiKey, sandbox.authy.url)
  const { protocol, host } = new URL(url)
  const request = {
    body: JSON.parse(received[0]?.body ?? '') as unknown,
    headers: { ...received[0]?.headers, host },
    method: 'POST',
    protocol: protocol.replace(':', ''),
    url: '/authy/callback',
  }
  await expect(client.verifyCallback(request)).resolves.toBeDefined()
  await expect(client.verifyCallback({ ...request, url: '/other' })).rejects.toThrow()
})

test('sends a signed GET with everything in the query, signed as it stands', async () => {
  sandbox.authy.callback = { url, method: 'GET' }
  const uuid = await ask({
    details: { visible: { Place: 'São Paulo' } },
    logos: [
      { res: 'default', url: 'https://logos.example/a.png' },
      { res: 'low', url: 'https://logos.example/b.png' },
    ],
  })
  await sandbox.phone.deny(uuid)
  await arrived(1)
  const [message] = received
  expect(message).toMatchObject({ method: 'GET', body: '' })
  expect(message?.query).toContain('approval_request%5Btransaction%5D%5Bdetails%5D%5BPlace%5D=S%C3%A3o+Paulo')
  expect(message?.query).toContain('logos%5D%5B%5D%5Bres%5D=default&')
  expect(message?.query).toContain('&status=denied&')
  expect(message?.query).toContain('requester_details%5D=&')
  // Signed as the service says, computed here by hand.
  const nonce = String(message?.headers['x-authy-signature-nonce'])
  const mac = createHmac('sha256', sandbox.authy.apiKey).update(`${nonce}|GET|${url}|${message?.query ?? ''}`)
  expect(message?.headers['x-authy-signature']).toBe(mac.digest('base64'))
})

test('says that the request was reported as suspicious', async () => {
  await sandbox.phone.act(await ask(), 'report')
  await arrived(1)
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
    status: 'denied',
    approval_request: { transaction: { flagged: true } },
  })
})

test('tells nobody about an expiry', async () => {
  const uuid = await ask()
  sandbox.clock.advance(90_000_000)
  await expect(sandbox.phone.approve(uuid)).rejects.toMatchObject({ reason: 'conflict' })
  expect(sandbox.authy.callbackAttempts()).toEqual([])
})

test('tries again after 1, 5 and 25 seconds, with a new nonce and signature each time, and records it all', async () => {
  answerWith = [500, 302, 404, 503]
  await sandbox.phone.approve(await ask())
  for (const [tries, pause] of [
    [1, 1000],
    [2, 5000],
    [3, 25_000],
  ] as const) {
    await arrived(tries)
    await vi.waitFor(() => expect(sandbox.authy.callbackAttempts()).toHaveLength(tries))
    sandbox.clock.advance(pause + 1)
  }
  await arrived(4)
  await vi.waitFor(() =>
    expect(sandbox.authy.callbackAttempts().map((each) => each.status)).toEqual([500, 302, 404, 503]),
  )
  expect(sandbox.authy.callbackAttempts().map((each) => each.attempt)).toEqual([1, 2, 3, 4])
  expect(new Set(received.map((each) => each.headers['x-authy-signature-nonce'])).size).toBe(4)
  expect(received.every(isValid)).toBe(true)
  expect(received.every((each) => each.url === '/authy/callback')).toBe(true)
})

test('gives up on nobody listening without harm, and says why', async () => {
  expect(() => (sandbox.authy.callback = { url: `${url}?with=query` })).toThrow(/without query/)
  sandbox.authy.callback = { url: 'http://127.0.0.1:9/' }
  await sandbox.phone.approve(await ask())
  await vi.waitFor(() => expect(sandbox.authy.callbackAttempts()[0]?.error).toContain('ECONNREFUSED'))
})

test.each(['wrong-signature', 'wrong-key', 'no-signature', 'no-nonce'] as const)(
  '%s: does not verify',
  async (change) => {
    sandbox.faults.add({ kind: 'callback', change, times: 1 })
    await sandbox.phone.approve(await ask())
    await arrived(1)
    expect(received.map(isValid)).toEqual([false])
    expect(sandbox.authy.callbackAttempts()[0]?.changes).toEqual([change])
    await sandbox.phone.approve(await ask())
    await arrived(2)
    expect(received.map(isValid)).toEqual([false, true])
  },
)

test.each(['two-logos', 'array-body', 'capitalised-keys', 'old-nonce'] as const)(
  '%s: unusual, and verifies',
  async (change) => {
    sandbox.faults.add({ kind: 'callback', change })
    await sandbox.phone.approve(await ask({ details: { visible: { Amount: '1', amount: '2' } } }))
    await arrived(1)
    expect(received.map(isValid)).toEqual([true])
    const age = sandbox.clock.now() / 1000 - Number(received[0]?.headers['x-authy-signature-nonce'])
    expect(age > 3000).toBe(change === 'old-nonce')
  },
)

test('loses a callback', async () => {
  sandbox.faults.add({ kind: 'callback', change: 'lost', times: 1 })
  await sandbox.phone.approve(await ask())
  await vi.waitFor(() => expect(sandbox.authy.callbackAttempts()).toMatchObject([{ error: 'lost' }]))
  expect(received).toEqual([])
})

test('sends a callback twice: the same bytes when replayed, a new signature when duplicated', async () => {
  sandbox.faults.add({ kind: 'callback', change: 'replayed', times: 1 })
  await sandbox.phone.approve(await ask())
  await arrived(2)
  expect(received[1]).toEqual(received[0])
  sandbox.faults.add({ kind: 'callback', change: 'duplicated', times: 1 })
  await sandbox.phone.approve(await ask())
  await arrived(4)
  expect(received[3]?.body).not.toBe(received[2]?.body)
  expect(received.slice(2).every(isValid)).toBe(true)
})

test('delivers a callback after the next one when they are reordered', async () => {
  sandbox.faults.add({ kind: 'callback', change: 'reordered', times: 1 })
  const first = await ask()
  const second = await ask()
  await sandbox.phone.approve(first)
  await sandbox.phone.deny(second)
  await arrived(2)
  expect(received.map((each) => (JSON.parse(each.body) as { uuid: string }).uuid)).toEqual([second, first])
})
