import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { PassByMeClient, type PassByMeMessageType } from 'passport-outofband/passbyme'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'

const ALICE = 'alice@example.org'
let sandbox: Sandbox
let client: PassByMeClient

beforeAll(async () => {
  sandbox = await startSandbox()
  const { url, pemFile, caFile, passphrase } = sandbox.passbyme
  client = new PassByMeClient({ baseUrl: url, cert: pemFile, passphrase, ca: caFile })
})
afterAll(async () => {
  client.close()
  await sandbox.close()
})
beforeEach(() => {
  sandbox.clock.reset()
})

interface Raw {
  readonly path?: string
  readonly method?: string
  readonly version?: string | null
  readonly body?: string
  readonly type?: string
  readonly pem?: string
}

async function raw({
  path = '/frontend/messages',
  method = 'POST',
  version = '1',
  body,
  type = 'application/json',
  pem = 'pemFile',
}: Raw) {
  const { url, caFile, passphrase } = sandbox.passbyme
  const file = pem === 'none' ? undefined : readFileSync(sandbox.passbyme[pem as 'pemFile'])
  return new Promise<{ status: number | undefined; type: string | undefined; body: Record<string, unknown> }>(
    (resolve, reject) => {
      const headers = { 'content-type': type, ...(version !== null && { 'x-pbm-api-version': version }) }
      const call = request(
        new URL(path, url),
        { method, headers, ca: readFileSync(caFile), agent: false, ...(file && { cert: file, key: file, passphrase }) },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            const parsed = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text }
            resolve({ status: response.statusCode, type: response.headers['content-type'], body: parsed })
          })
        },
      )
      call.on('error', reject)
      call.end(body)
    },
  )
}

const good = {
  recipients: [ALICE],
  subject: 'Login',
  body: 'x',
  availability: 60,
  type: 'authorization',
  callbackUrl: null,
}

describe('the stand-in of PassBy[ME]', () => {
  it('ends the connection of a caller without a certificate', async () => {
    await expect(raw({ pem: 'none', body: JSON.stringify(good) })).rejects.toThrow()
    expect(sandbox.phone.pushes()).toEqual([])
  })

  it('hands out RSA keys, as the service does, for clients that can read no other', () => {
    const { passphrase, pemFile, organisationPemFile } = sandbox.passbyme
    const pems = [readFileSync(pemFile, 'utf8'), readFileSync(organisationPemFile, 'utf8'), sandbox.passbyme.issue()]
    const keys = pems.map((key) => createPrivateKey({ key, passphrase }))
    expect(keys.map(({ asymmetricKeyType }) => asymmetricKeyType)).toEqual(['rsa', 'rsa', 'rsa'])
    expect(keys[0]!.equals(keys[1]!)).toBe(false)
  })

  test.each<readonly [string, Raw, number, string | undefined]>([
    ['no version', { version: null }, 420, 'UNSUPPORTED_API_VERSION'],
    ['the version of the other API', { version: '2' }, 420, 'UNSUPPORTED_API_VERSION'],
    ['an unknown path', { path: '/frontend/other' }, 404, undefined],
    ['another method', { method: 'PUT' }, 405, undefined],
    ["the organisation's certificate", { pem: 'organisationPemFile' }, 420, 'FORBIDDEN'],
    ['no JSON', { body: '<html>' }, 420, 'MALFORMED_INPUT'],
    ['a bare string for recipients', { body: JSON.stringify({ ...good, recipients: ALICE }) }, 420, 'MALFORMED_INPUT'],
    ['an availability as text', { body: JSON.stringify({ ...good, availability: '60' }) }, 420, 'MALFORMED_INPUT'],
    [
      'a subject of 255 characters',
      { body: JSON.stringify({ ...good, subject: 'x'.repeat(255) }) },
      420,
      'MALFORMED_INPUT',
    ],
    [
      'a callback over http to elsewhere',
      { body: JSON.stringify({ ...good, callbackUrl: 'http://example.com/' }) },
      420,
      'MALFORMED_INPUT',
    ],
    ['an unknown message', { method: 'GET', path: '/frontend/messages/x', body: '' }, 420, 'NOT_FOUND'],
  ])('refuses %s', async (_why, call, status, code) => {
    const answer = await raw({ body: JSON.stringify(good), ...call })
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    if (status === 420) expect(answer.type).toMatch(/^application\/json/)
  })

  it('reads JSON whatever its type says, takes absent for null, and raw and encoded ids alike', async () => {
    const { subject, body, callbackUrl, ...rest } = good
    expect([subject, body, callbackUrl]).toEqual(['Login', 'x', null])
    const sent = await raw({ body: JSON.stringify(rest), type: 'application/x-www-form-urlencoded' })
    expect(sent.status).toBe(200)
    const id = String(sent.body['messageId'])
    expect(id).toMatch(/^@core1-[\d.]+-\w{8}$/)
    for (const segment of [id, encodeURIComponent(id)]) {
      const tracked = await raw({ method: 'GET', path: `/frontend/messages/${segment}` })
      expect(tracked.body['messageId']).toBe(id)
    }
    expect(
      (await raw({ method: 'GET', path: `/frontend/messages/${encodeURIComponent(encodeURIComponent(id))}` })).status,
    ).toBe(420)
  })
})

describe('the life of a message', () => {
  const send = (type: PassByMeMessageType = 'authorization') =>
    client.sendMessage({ recipients: [ALICE], subject: 'x', body: 'y', availability: 60, type })
  const step = (action: string) => sandbox.phone.act({ recipient: ALICE }, action)

  test.each<readonly [string, PassByMeMessageType, readonly string[], string]>([
    ['nothing happens', 'authorization', [], 'PENDING'],
    ['the notification fails', 'authorization', ['fail-notification'], 'NOT_NOTIFIED'],
    ['it is notified', 'authorization', ['notify'], 'NOTIFIED'],
    ['it is notified after all', 'authorization', ['fail-notification', 'notify'], 'NOTIFIED'],
    ['it is fetched', 'authorization', ['notify', 'download'], 'DOWNLOADED'],
    ['it is approved', 'authorization', ['approve'], 'APPROVED'],
    ['it is denied', 'authorization', ['download', 'deny'], 'DENIED'],
    ['it is read', 'message', ['see'], 'SEEN'],
    ['a document is read', 'esign', ['see'], 'SEEN'],
    ['it fails', 'authorization', ['notify', 'fail'], 'FAILED'],
  ])('when %s (%s)', async (_why, type, steps, status) => {
    const info = await send(type)
    for (const action of steps) await step(action)
    expect((await info.refresh()).recipients).toEqual([{ userId: ALICE, status }])
    await info.cancel().catch(() => undefined)
  })

  test.each<readonly [readonly string[], string]>([
    [[], 'NOT_NOTIFIED'],
    [['fail-notification'], 'NOT_NOTIFIED'],
    [['notify'], 'NOT_DOWNLOADED'],
    [['download'], 'NOT_SEEN'],
    [['approve'], 'APPROVED'],
  ])('at its end, after %j, it is %s, and nothing changes after it', async (steps, status) => {
    const info = await send()
    for (const action of steps) await step(action)
    const push = sandbox.phone.pushes({ recipient: ALICE })[0]!
    sandbox.clock.advance(61_000)
    expect((await info.refresh()).recipients[0]!.status).toBe(status)
    await expect(sandbox.phone.approve(push.id)).rejects.toMatchObject({ code: 'ERR_SANDBOX', reason: 'conflict' })
    await expect(info.cancel()).rejects.toMatchObject({ providerCode: 'ALREADY_COMPLETED' })
    sandbox.clock.advance(25 * 3_600_000)
    await expect(info.refresh()).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
  })

  test.each<readonly [PassByMeMessageType, readonly string[], string]>([
    ['authorization', [], 'see'],
    ['message', [], 'approve'],
    ['authorization', ['approve'], 'deny'],
    ['authorization', ['deny'], 'approve'],
    ['authorization', ['download'], 'notify'],
  ])('a phone can not, of a %s after %j, %s', async (type, steps, action) => {
    const info = await send(type)
    for (const each of steps) await step(each)
    const push = sandbox.phone.pushes({ recipient: ALICE })[0]!
    await expect(sandbox.phone.act(push.id, action)).rejects.toMatchObject({ code: 'ERR_SANDBOX', reason: 'conflict' })
    await info.cancel().catch(() => undefined)
  })
})
