import express5 from 'express'
import express4 from 'express4'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { MemoryStateStore } from 'passport-outofband/stores'
import { oneTouchCallback, type OneTouchCallbackOptions } from 'passport-outofband/webhooks'
import { describe, expect, test } from 'vitest'
import { waitFor } from '../support/wait-for.js'
import {
  answerBody,
  apiKey,
  callbackUrl,
  type Delivery,
  got,
  mounts,
  posted,
  receiving,
  sentAt,
} from './one-touch-support.js'

type Handler = (req: IncomingMessage, res: ServerResponse) => void

const bare = { status: 403, body: '' }

describe.each(Object.entries(mounts))('under %s', (_name, mount) => {
  test('a POST callback is verified over its raw bytes and becomes an event [SC 40]', async () => {
    const app = await receiving({}, mount)
    expect(await app.send(posted())).toMatchObject({ status: 200, body: '' })
    expect(app.events).toMatchObject([
      {
        id: '996201c0-b7a7-0133-7c06-0e67b818e6fb:approved',
        uuid: '996201c0-b7a7-0133-7c06-0e67b818e6fb',
        status: 'approved',
        authyId: '1234567',
        approvalId: 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
        appId: '582380eb7e1caa03317ec08c',
        deviceUuid: '2102943',
        reported: false,
        message: 'Login requested',
        details: { Amount: '10 €', 'Account Number': '981266321' },
        decidedAt: (sentAt - 1) * 1000,
        createdAt: (sentAt - 20) * 1000,
        expiresAt: (sentAt + 86_400) * 1000,
      },
    ])
  })

  test('a GET callback is verified over its raw query and becomes the same event [SC 41]', async () => {
    const app = await receiving({}, mount)
    expect(await app.send(posted({ nonce: '1530000120' }))).toMatchObject({ status: 200 })
    expect(await app.send(got())).toMatchObject({ status: 200, body: '' })
    expect(app.events).toHaveLength(2)
    expect(app.events[1]).toEqual(app.events[0])
  })

  test('a GET without a signature is refused like a POST without one [SC 41]', async () => {
    const app = await receiving({}, mount)
    const { ['X-Authy-Signature']: _, ...headers } = got().headers
    expect(await app.send({ ...got(), headers })).toMatchObject(bare)
    expect(await app.send({ ...posted(), headers })).toMatchObject(bare)
    expect(app.events).toEqual([])
  })
})

describe('what is refused looks the same to the caller, and is explained to the operator [SC 50]', () => {
  const twice = (name: string) => ({ headers: { ...posted().headers, [name]: [one(name), one(name)] } })
  const one = (name: string): string => String(posted().headers[name])
  const refusals: readonly (readonly [why: string, delivery: Partial<Delivery>, log: RegExp])[] = [
    ['a repeated signature', twice('X-Authy-Signature'), /X-Authy-Signature is missing, repeated/],
    ['a repeated nonce', twice('X-Authy-Signature-Nonce'), /Nonce is missing, repeated/],
    [
      'an empty signature',
      { headers: { ...posted().headers, 'X-Authy-Signature': '' } },
      /X-Authy-Signature is missing/,
    ],
    ['a changed body', { body: String(posted().body).replace('approved', 'denied') }, /signature does not fit/],
    ['an empty body', { body: '' }, /no JSON object: it may be empty/],
    ['another method', { method: 'PUT' }, /neither POST nor GET/],
    ['a body of 257 KiB', { body: `{"a":"${'x'.repeat(257 * 1024)}"}` }, /larger than any callback/],
    ['an old nonce', posted({ nonce: String(sentAt - 3600) }), /too far from the time/],
    [
      'a pending status',
      posted({ body: JSON.stringify(answerBody({ status: 'pending' })) }),
      /neither approved nor denied/,
    ],
  ]

  test.each(refusals)('%s', async (_why, change, log) => {
    const app = await receiving()
    const { status, body, headers } = await app.send({ ...posted(), ...change })
    expect({ status, body }).toEqual(bare)
    expect(headers['content-length']).toBe('0')
    expect(app.events).toEqual([])
    expect(app.lines).toHaveLength(1)
    expect(app.lines[0]).toMatchObject({ level: 'warn', message: expect.stringMatching(log) })
  })
})

describe('a body that was read before', () => {
  const behind: Readonly<Record<string, (handler: Handler) => RequestListener>> = {
    'express.json() of Express 5': (handler) => express5().use(express5.json()).use(handler),
    'express.json() of Express 4': (handler) => express4().use(express4.json()).use(handler),
    'express.text()': (handler) =>
      express5()
        .use(express5.text({ type: '*/*' }))
        .use(handler),
  }

  test.each(Object.entries(behind))(
    'by %s is a configuration error that names the cure [SC 40]',
    async (_name, mount) => {
      const app = await receiving({}, mount)
      expect(await app.send(posted())).toMatchObject({ status: 500, body: '' })
      expect(app.lines).toMatchObject([
        { level: 'error', message: expect.stringMatching(/mount oneTouchCallback before express\.json\(\).*verify/) },
      ])
      expect(app.events).toEqual([])
    },
  )

  test.each([
    [
      'in req.rawBody by a verify hook',
      (handler: Handler) =>
        express5()
          .use(express5.json({ verify: (req, _res, bytes) => void Reflect.set(req, 'rawBody', bytes) }))
          .use(handler),
    ],
    [
      'in req.body by express.raw()',
      (handler: Handler) =>
        express5()
          .use(express5.raw({ type: '*/*' }))
          .use(handler),
    ],
    [
      'by a parser that took no interest',
      (handler: Handler) =>
        express4()
          .use(express4.urlencoded({ extended: false }))
          .use(handler),
    ],
  ])('and kept %s is verified', async (_how, mount) => {
    const app = await receiving({}, mount)
    expect(await app.send(posted())).toMatchObject({ status: 200 })
    expect(app.events).toHaveLength(1)
  })
})

test('forged Host and X-Forwarded headers change nothing [SC 43]', async () => {
  const app = await receiving()
  const forged = {
    Host: 'evil.example',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Proto': 'http',
    Forwarded: 'host=evil.example',
  }
  expect(await app.send({ ...posted(), headers: { ...posted().headers, ...forged } })).toMatchObject({ status: 200 })
  const stolen = posted({ url: 'http://evil.example/authy/callback', nonce: String(sentAt + 1) })
  expect(await app.send({ ...stolen, headers: { ...stolen.headers, ...forged } })).toMatchObject(bare)
  expect(app.events).toHaveLength(1)
})

describe('a repeat', () => {
  test.each([
    [0, 200],
    [4 * 60, 200],
    [6 * 60, 403],
    [86_000, 403],
    [2 * 86_400, 403],
  ])('after %i s answers %i and changes nothing [SC 45]', async (seconds, status) => {
    const app = await receiving()
    await app.send(posted())
    await app.clock.advance(seconds * 1000)
    expect(await app.send(posted())).toMatchObject({ status, body: '' })
    expect(app.events).toHaveLength(1)
  })

  test('is remembered until the request ends where the clock is not checked [SC 45]', async () => {
    const app = await receiving({ toleranceSeconds: false })
    for (const seconds of [0, 3600, 80_000]) {
      await app.clock.advance(seconds * 1000)
      expect(await app.send(posted())).toMatchObject({ status: 200 })
    }
    await app.clock.advance(3_600_000)
    expect(await app.send(posted())).toMatchObject(bare)
    expect(app.events).toHaveLength(1)
  })

  test('in another shape with the same signature is the same delivery', async () => {
    const app = await receiving()
    await app.send(posted())
    const reshaped = String(posted().body)
      .replace('"flagged":false', '"flagged":"false"')
      .replace('"logos":null', '"logos":""')
    expect(await app.send({ ...posted(), body: reshaped })).toMatchObject({ status: 200 })
    expect(app.events).toHaveLength(1)
  })

  test('at the same time waits for the first and shares its fate [SC 45]', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    let calls = 0
    const app = await receiving({ onEvent: () => ((calls += 1), held) })
    const answers = [app.send(posted()), app.send(posted())]
    await waitFor(() => calls === 1)
    release()
    expect(await Promise.all(answers)).toMatchObject([{ status: 200 }, { status: 200 }])
    expect(calls).toBe(1)
  })
})

test('a handler that fails is answered with 500, and the repeat is taken [SC 48]', async () => {
  let calls = 0
  const app = await receiving({
    onEvent: () => {
      if ((calls += 1) === 1) throw new Error('the database is away')
    },
  })
  expect(await app.send(posted())).toMatchObject({ status: 500, body: '' })
  expect(app.lines).toMatchObject([{ level: 'error', details: { err: { message: 'the database is away' } } }])
  expect(await app.send(posted())).toMatchObject({ status: 200 })
  expect(await app.send(posted())).toMatchObject({ status: 200 })
  expect(calls).toBe(2)
})

test.each([
  ['a promise', () => Promise.reject(new Error('the database is away'))],
  ['something like a promise', () => ({ then: (_: unknown, no: (error: Error) => void) => no(new Error('away')) })],
])('a handler that returns %s is waited for, and failed with [SC 48]', async (_what, onEvent) => {
  const app = await receiving({ onEvent })
  expect(await app.send(posted())).toMatchObject({ status: 500, body: '' })
})

describe.each(Object.entries(mounts))('under %s', (_name, mount) => {
  test('a sender that hangs up in the middle of the body changes nothing, and the next is served [SC 48]', async () => {
    let received = 0
    const app = await receiving({}, (handler) =>
      mount((req, res) => {
        received += 1
        handler(req, res)
      }),
    )
    const { hostname, port } = new URL(app.origin)
    const socket = connect(Number(port), hostname)
    const headers = { ...posted().headers, Host: 'x', 'Content-Length': '2000' }
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`POST /authy/callback HTTP/1.1\r\n${head.join('')}\r\n{"authy_id":`)
    await waitFor(() => received === 1)
    socket.destroy()
    await waitFor(() => app.lines.length > 0)
    expect(app.lines).toMatchObject([{ level: 'warn', message: expect.stringMatching(/ended before it was complete/) }])
    expect(await app.send(posted())).toMatchObject({ status: 200 })
  })

  test('an answer that something else has given stands', async () => {
    const app = await receiving({}, (handler) =>
      mount((req, res) => {
        res.writeHead(418, { 'Content-Length': '2' }).end('no')
        handler(req, res)
      }),
    )
    expect(await app.send(posted())).toMatchObject({ status: 418, body: 'no' })
    expect(await app.send({ ...posted(), body: '' })).toMatchObject({ status: 418, body: 'no' })
  })
})

test('a store that is away lets nothing through [SC 48]', async () => {
  const away = (): Promise<never> => Promise.reject(new Error('away'))
  const state = Object.assign(new MemoryStateStore(), { get: away })
  const app = await receiving({ state })
  expect(await app.send(posted())).toMatchObject({ status: 500, body: '' })
  expect(app.events).toEqual([])
})

test('a body that drips is given up in time, and so is a handler that hangs [SC 48]', async () => {
  const app = await receiving({ timeLimitMs: 50, onEvent: () => new Promise(() => undefined) })
  expect(await app.send(posted())).toMatchObject({ status: 503, body: '' })
  const drips = { ...posted(), headers: { ...posted().headers, 'Content-Length': '5000' } }
  expect(await app.sendUnfinished(drips)).toMatchObject({ status: 503, body: '' })
})

test('keys change during a run without a refused delivery, and the log tells them apart [SC 46]', async () => {
  const app = await receiving({ apiKey: ['the old key', 'the new key'] })
  const keys = ['the old key', 'the old key', 'the new key', 'the old key', 'the new key']
  for (const [index, key] of keys.entries()) {
    expect(await app.send(posted({ apiKey: key, nonce: String(sentAt + index) }))).toMatchObject({ status: 200 })
  }
  expect(await app.send(posted({ apiKey: 'a stolen key' }))).toMatchObject(bare)
  const labels = app.lines.slice(0, 5).map(({ details }) => Reflect.get(details, 'key') as unknown)
  expect(new Set(labels).size).toBe(2)
  expect(labels[0]).toBe(labels[1])
  expect(labels[0]).not.toBe(labels[2])
})

describe('the log says what most likely differs', () => {
  const differing: readonly (readonly [what: string, sender: Parameters<typeof posted>[0], says: RegExp])[] = [
    ['the scheme', { url: 'http://app.example.com/authy/callback' }, /signed with the scheme http instead of https/],
    ['the port', { url: 'https://app.example.com:443/authy/callback' }, /the port :443 written out/],
    ['the path', { url: 'https://app.example.com/authy/callback/' }, /a slash at the end of the path/],
    [
      'scheme and path',
      { url: 'http://app.example.com/authy/callback/' },
      /the scheme http instead of https and a slash at the end/,
    ],
    [
      'the host',
      { url: 'https://other.example/authy/callback' },
      /the host other\.example instead of app\.example\.com/,
    ],
    ['the key', { apiKey: 'another key' }, /most likely another API key/],
  ]

  test.each(differing)('%s', async (_what, sender, says) => {
    const app = await receiving()
    const delivery = posted(sender)
    expect(await app.send({ ...delivery, headers: { ...delivery.headers, Host: 'other.example' } })).toMatchObject(bare)
    expect(app.lines).toMatchObject([{ details: { reason: 'signature', advice: expect.stringMatching(says) } }])
  })

  test('a key with white space around it', async () => {
    const app = await receiving({ apiKey: `${apiKey}\n` })
    await app.send(posted())
    expect(app.lines).toMatchObject([{ details: { advice: expect.stringMatching(/white space or quotation marks/) } }])
  })

  test('a body that a parser reprinted', async () => {
    const app = await receiving()
    const printed = JSON.stringify(answerBody())
    expect(
      await app.send({ ...posted({ body: printed }), body: printed.replace('1234567', '1234567.0') }),
    ).toMatchObject(bare)
    expect(app.lines).toMatchObject([{ details: { advice: expect.stringMatching(/as a JSON parser reprints it/) } }])
  })

  test('a query that something rewrote', async () => {
    const app = await receiving()
    await app.send({ ...got(), path: got().path.replaceAll('+', '%20') })
    expect(app.lines).toMatchObject([{ details: { advice: expect.stringMatching(/something rewrote the query/) } }])
  })

  test('the clock', async () => {
    const app = await receiving()
    await app.send(posted({ nonce: String(sentAt + 4000) }))
    expect(app.lines).toMatchObject([{ details: { advice: expect.stringMatching(/4000 s ahead of the clock here/) } }])
  })

  test('but only a few times a minute [SC 48]', async () => {
    const app = await receiving()
    const wrong = posted({ apiKey: 'another key' })
    const advice = (): unknown[] => app.lines.map(({ details }) => Reflect.get(details, 'advice') as unknown)
    for (let turn = 0; turn < 10; turn += 1) await app.send(wrong)
    expect(advice().filter((line) => line === 'not looked into: too many refusals in this minute')).toHaveLength(4)
    await app.clock.advance(60_000)
    await app.send(wrong)
    expect(advice().at(-1)).toMatch(/most likely another API key/)
  })

  test('and never a signature, a key or the string to sign [SC 46, 50]', async () => {
    const app = await receiving({ apiKey: [apiKey, 'a second secret key'] })
    const deliveries = [
      posted(),
      posted({ apiKey: 'x' }),
      posted({ url: 'http://app.example.com/authy/callback' }),
      posted({ nonce: '1' }),
    ]
    for (const delivery of deliveries) await app.send(delivery)
    const log = JSON.stringify(app.lines)
    for (const secret of [
      apiKey,
      'a second secret key',
      ...deliveries.map(({ headers }) => String(headers['X-Authy-Signature'])),
    ]) {
      expect(log).not.toContain(secret)
    }
    expect(log).not.toContain('|POST|')
    expect(log).not.toContain('approval_request%5B')
  })
})

describe('with approvals', () => {
  const settlers = ['settled', 'unchanged', 'starting', 'unknown'] as const

  test.each([
    ['settled', 200, 1],
    ['unchanged', 200, 1],
    ['starting', 503, 0],
    ['unknown', 403, 0],
  ] as const)('%s is answered with %i [SC 30]', async (result, status, events) => {
    expect(settlers).toContain(result)
    const settlements: unknown[] = []
    const approvals = { settle: async (settlement: unknown) => (settlements.push(settlement), result) }
    const app = await receiving({ approvals })
    expect(await app.send(posted())).toMatchObject({ status, body: '' })
    expect(app.events).toHaveLength(events)
    expect(settlements).toEqual([
      {
        channel: 'authy',
        reference: '996201c0-b7a7-0133-7c06-0e67b818e6fb',
        approvalId: 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
        recipientReference: '1234567',
        status: 'approved',
        reported: false,
        decidedAt: (sentAt - 1) * 1000,
      },
    ])
  })

  test('a callback that came too early is taken when it is repeated [SC 48]', async () => {
    const results: ('starting' | 'settled')[] = ['starting', 'settled']
    const app = await receiving({ approvals: { settle: async () => results.shift() ?? 'settled' } })
    expect(await app.send(posted())).toMatchObject({ status: 503 })
    expect(await app.send(posted())).toMatchObject({ status: 200 })
    expect(app.events).toHaveLength(1)
  })
})

test.each([
  ['apiKey', { apiKey: '' }],
  ['apiKey', { apiKey: [] }],
  ['callbackUrl', { callbackUrl: 'app.example.com/cb' }],
  ['callbackUrl', { callbackUrl: 'https://me:pw@app.example.com/cb' }],
  ['state', { state: {} }],
  ['toleranceSeconds', { toleranceSeconds: -1 }],
  ['toleranceSecond', { toleranceSecond: 5 }],
  ['appId', { appId: '5' }],
])('a wrong option %s stops the server at its start', (option, wrong) => {
  const right = { apiKey, callbackUrl, state: new MemoryStateStore() }
  expect(() => oneTouchCallback({ ...right, ...wrong } as OneTouchCallbackOptions)).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', option }),
  )
})
