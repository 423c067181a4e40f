import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import {
  ProviderProtocolError,
  ProviderTimeoutError,
  ProviderUnreachableError,
  SafeBoxOutcomeUnknownError,
} from 'passport-outofband'
import { SendSecureClient } from 'passport-outofband/sendsecure'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { draft, setUp, type Setting } from '../../sandbox/sendsecure/support.js'

// Whatever happens on the way, it ends in a clear error or in one SafeBox, never in two, and never in half of one.

let setting: Setting
let userEmail: string

beforeEach(async () => {
  setting = await setUp()
  ;({ userEmail } = setting)
})
afterEach(async () => setting.close())

const SIZE = 3_000_000
const content = Buffer.alloc(SIZE, 'x')
const rereadable = { source: content, filename: 'report.pdf' }
const once = () => ({ source: Readable.from([content]), filename: 'report.pdf', size: SIZE })
const boxes = () => setting.sandbox.sendsecure.safeboxes()

async function whole(): Promise<void> {
  expect(boxes()).toHaveLength(1)
  const [document] = boxes()[0]!.documents
  expect(document).toMatchObject({ size: SIZE })
}

// No test waits for a pause between two tries.
const instant = { runtime: { sleep: async () => undefined } }

describe('the upload server', () => {
  test.each([0, 1, 200, 65_536, 1_000_000, SIZE, SIZE + 250])(
    'resets after %i bytes: what can be read again is sent again, into one SafeBox',
    async (bytes) => {
      const client = await setting.connect(instant)
      setting.sandbox.sendsecure.quirks.resetUploadsAfter.push(bytes, bytes)
      await client.submitSafebox(draft(userEmail, { attachments: [rereadable] }))
      await whole()
    },
  )

  test.each([0, 70_000, SIZE])(
    'resets after %i bytes: a stream that can be read once ends in an error and in no SafeBox',
    async (bytes) => {
      const client = await setting.connect(instant)
      setting.sandbox.sendsecure.quirks.resetUploadsAfter.push(bytes)
      const failure = await client
        .submitSafebox(draft(userEmail, { attachments: [once()] }))
        .catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(ProviderUnreachableError)
      expect(boxes()).toEqual([])
    },
  )

  test('stalls: the transfer is ended, and said to have stood still [SC 84]', async () => {
    const client = await setting.connect({ idleTimeoutMs: 150, answerTimeoutMs: 150, uploadRetries: 0 })
    setting.sandbox.sendsecure.quirks.stallUploadsAfter.push(1000)
    const large = { source: Buffer.alloc(40_000_000), filename: 'a.bin' }
    const failure = await client
      .submitSafebox(draft(userEmail, { attachments: [large] }))
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ProviderTimeoutError)
    expect(failure).toMatchObject({ phase: 'idle', timeoutMs: 150 })
    expect(boxes()).toEqual([])
  })

  test('takes everything and does not answer: the wait has an end [SC 84]', async () => {
    setting.sandbox.faults.add({ kind: 'hang', when: 'after', provider: 'sendsecure', path: '/xmss/*' })
    const client = await setting.connect({ answerTimeoutMs: 150, uploadRetries: 0 })
    const failure = await client
      .submitSafebox(draft(userEmail, { attachments: [rereadable] }))
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_PROVIDER_TIMEOUT', phase: 'total' })
    expect(boxes()).toEqual([])
  })

  test.each([413, 422])('answers %i: it is not tried again, and nothing is sent', async (status) => {
    const client = await setting.connect(instant)
    setting.sandbox.faults.add({ kind: 'error', status, provider: 'sendsecure', path: '/xmss/*' })
    const failure = await client
      .submitSafebox(draft(userEmail, { attachments: [rereadable] }))
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_PROVIDER_REJECTED', status })
    expect(setting.sandbox.faults.list()[0]!.hits).toBe(1)
    expect(boxes()).toEqual([])
    expect(inspect(failure, { depth: 9 })).not.toContain('/xmss/')
  })

  test('answers 500 twice: the third try is the one that is sent', async () => {
    const client = await setting.connect(instant)
    setting.sandbox.faults.add({ kind: 'error', status: 500, times: 2, provider: 'sendsecure', path: '/xmss/*' })
    const attempts: number[] = []
    await client.submitSafebox(draft(userEmail, { attachments: [rereadable] }), {
      onProgress: ({ attempt }) => attempts.push(attempt),
    })
    await whole()
    expect(Math.max(...attempts)).toBe(3)
  })

  test('answers with a redirect, with no JSON or without a document: it is no success [SC 86]', async () => {
    const client = await setting.connect({ uploadRetries: 0 })
    for (const fault of [
      { kind: 'redirect', location: 'https://elsewhere.example/' },
      { kind: 'html' },
      { kind: 'empty' },
      { kind: 'truncated' },
    ] as const) {
      setting.sandbox.faults.clear()
      setting.sandbox.faults.add({ ...fault, provider: 'sendsecure', path: '/xmss/*' })
      await expect(client.submitSafebox(draft(userEmail, { attachments: [rereadable] }))).rejects.toBeInstanceOf(
        ProviderProtocolError,
      )
    }
    expect(boxes()).toEqual([])
  })

  test('one of several files fails: the others are aborted, and nothing is sent', async () => {
    const client = await setting.connect(instant)
    const files = Array.from({ length: 6 }, (_, index) => ({
      source: content,
      filename: index === 4 ? 'bad.exe' : `${index}.bin`,
    }))
    await expect(
      client.submitSafebox(draft(userEmail, { securityProfileId: 21, attachments: files })),
    ).rejects.toMatchObject({ status: 400 })
    expect(boxes()).toEqual([])
  })
})

test('the token expires midway: the commit is refused, and nothing is sent', async () => {
  const upload = setting.client.submitSafebox(draft(userEmail, { attachments: [rereadable], securityProfileId: 21 }), {
    onProgress: () => setting.sandbox.sendsecure.expireTokens(),
  })
  await expect(upload).rejects.toMatchObject({ status: 403, providerMessage: 'Access denied' })
  expect(boxes()).toEqual([])
})

describe('the commit', () => {
  test('answers late, but in time: one SafeBox', async () => {
    setting.sandbox.faults.add({
      kind: 'delay',
      ms: 300,
      provider: 'sendsecure',
      method: 'POST',
      path: '/api/v2/safeboxes.json',
    })
    await setting.client.submitSafebox(draft(userEmail))
    expect(boxes()).toHaveLength(1)
  })

  test.each([
    ['is reset', { kind: 'reset', when: 'after' }],
    ['is cut off', { kind: 'reset', when: 'mid-body' }],
    ['is not JSON', { kind: 'broken-json' }],
    ['is empty', { kind: 'empty' }],
    ['is the page of a proxy', { kind: 'html' }],
  ] as const)(
    'answers, and the answer %s: the SafeBox is found by its guid, and is the only one [SC 85]',
    async (_name, fault) => {
      const client = await setting.connect(instant)
      setting.sandbox.faults.add({
        ...fault,
        times: 1,
        provider: 'sendsecure',
        method: 'POST',
        path: '/api/v2/safeboxes.json',
      })
      const safebox = await client.submitSafebox(draft(userEmail, { attachments: [rereadable] }))
      expect(safebox).toMatchObject({ guid: boxes()[0]!.guid, status: 'in_progress', userEmail })
      await whole()
    },
  )

  test('answers too late: the SafeBox is found by its guid [SC 85]', async () => {
    const client = await setting.connect({ ...instant, timeoutMs: 400 })
    setting.sandbox.faults.add({
      kind: 'hang',
      when: 'after',
      times: 1,
      provider: 'sendsecure',
      method: 'POST',
      path: '/api/v2/safeboxes.json',
    })
    await client.submitSafebox(draft(userEmail))
    expect(boxes()).toHaveLength(1)
  })

  test('was never seen by the service: the error says that the outcome is unknown, and names the guid [SC 85]', async () => {
    const client = await setting.connect(instant)
    setting.sandbox.faults.add({
      kind: 'reset',
      times: 1,
      provider: 'sendsecure',
      method: 'POST',
      path: '/api/v2/safeboxes.json',
    })
    const failure = await client.submitSafebox(draft(userEmail)).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SafeBoxOutcomeUnknownError)
    expect((failure as SafeBoxOutcomeUnknownError).guid).toMatch(/^[0-9a-f]{32}$/)
    expect(boxes()).toEqual([])
  })
})

describe('abort', () => {
  test('ends an upload in the middle, with the reason that was given, and nothing is sent', async () => {
    const controller = new AbortController()
    const reason = new Error('pressed cancel')
    const upload = setting.client.submitSafebox(draft(userEmail, { attachments: [rereadable] }), {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    })
    await expect(upload).rejects.toBe(reason)
    expect(boxes()).toEqual([])
  })

  test('a call that is aborted before it begins sends nothing, and the shared look-up goes on for others', async () => {
    const client = await setting.connect()
    const controller = new AbortController()
    const [aborted, others] = [client.getSafeboxes({}, { signal: controller.signal }), client.getSafeboxes()]
    controller.abort(new Error('away'))
    await expect(aborted).rejects.toThrow('away')
    expect((await others).safeboxes).toEqual([])
  })
})

describe('addresses', () => {
  async function portalThatAnswers(
    application: string,
  ): Promise<{ server: Server; client: SendSecureClient; seen: (string | undefined)[] }> {
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers['authorization-token'] as string | undefined)
      response.end(application)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return {
      server,
      seen,
      client: new SendSecureClient({ endpoint, enterpriseAccount: 'acme', token: 'USER|secret-token' }),
    }
  }

  test.each([
    '',
    'not a url',
    'http://public.example/',
    'ftp://x/',
    'https://user:pass@x.example/',
    'javascript:alert(1)',
  ])('an application at %j is refused, and the portal never sees the token [SC 51, 86]', async (application) => {
    const { server, client, seen } = await portalThatAnswers(application)
    await expect(client.getEnterpriseSettings()).rejects.toBeInstanceOf(ProviderProtocolError)
    expect(seen).toEqual([undefined])
    server.close()
  })

  test('upload addresses on a private network are refused where the endpoint is public, by address and by name [SC 51]', async () => {
    const hits: unknown[] = []
    const tcp = createTcpServer((socket) => hits.push(socket.destroy()))
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
    const { port } = tcp.address() as AddressInfo
    const client = new SendSecureClient({ enterpriseAccount: 'acme', token: 'USER|x', uploadRetries: 0 })
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '10.0.0.1', '169.254.169.254']) {
      const upload = client.uploadAttachment({ uploadUrl: `https://${host}:${port}/xmss/x` }, rereadable)
      await expect(upload).rejects.toMatchObject({ reason: 'PRIVATE_ADDRESS' })
    }
    expect(hits).toEqual([])
    tcp.close()
  })

  test.each(['../../admin', 'a/b', '..', '.', 'a%2fb', 'a\r\nX-Evil: 1', '', 'x'.repeat(600)])(
    'the guid %j is refused before anything is sent [SC 87]',
    async (guid) => {
      const before = setting.sandbox.faults.list().length
      await expect(setting.client.closeSafebox(guid)).rejects.toMatchObject({ code: 'ERR_INPUT' })
      expect(setting.sandbox.faults.list()).toHaveLength(before)
    },
  )

  test('an answer of the wrong type is an error that names the field, never an undefined value [SC 86]', async () => {
    const { server, client } = await portalThatAnswers(setting.sandbox.sendsecure.applicationUrl)
    server.removeAllListeners('request')
    server.on('request', (request, response) => {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      response.setHeader('content-type', 'application/json')
      response.end(
        request.url?.startsWith('/services') ? base : '{"default_security_profile_id":"21; drop","created_at":5}',
      )
    })
    await expect(client.getEnterpriseSettings()).rejects.toThrow(/created_at|default_security_profile_id/)
    server.close()
  })
})

test('no client, error or token shows a secret when it is printed [SC 90]', async () => {
  const { client } = setting
  const failure: unknown = await client.getSafebox('f'.repeat(32)).catch((error: unknown) => error)
  const printed = [client, failure]
    .map((value) => inspect(value, { depth: 20, showHidden: true }) + JSON.stringify(value))
    .join()
  expect(printed).not.toContain('USER|')
})
