import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ApprovalError, InvalidInputError, type Logger } from 'passport-outofband'
import {
  encodePath,
  encodeSegment,
  HttpTransport,
  type HttpTransportOptions,
  type ProviderCallEvent,
} from '../../../src/providers/http.js'
import { startRecorder, type Recorder } from '../../support/recorder.js'

let recorder: Recorder
let logged: { readonly details: object; readonly message: string }[]
let events: ProviderCallEvent[]
const remember = (event: unknown): number => events.push(event as ProviderCallEvent)
const transports: HttpTransport[] = []

beforeEach(async () => {
  recorder = await startRecorder()
  logged = []
  events = []
  subscribe('passport-outofband:provider-call', remember)
})
afterEach(async () => {
  unsubscribe('passport-outofband:provider-call', remember)
  for (const transport of transports.splice(0)) transport.close()
  await recorder.close()
})

const write = (details: object, message: string): void => void logged.push({ details, message })
const logger: Logger = { debug: write, info: write, warn: write, error: write }

function make(options: Partial<HttpTransportOptions> = {}): HttpTransport {
  const transport = new HttpTransport({
    provider: 'demo',
    baseUrl: `${recorder.url}/base/`,
    headers: { 'X-Key': 'the-secret-key' },
    secrets: ['the-secret-key'],
    logger,
    ...options,
  })
  transports.push(transport)
  return transport
}

const get = { operation: 'thing.read', method: 'GET', path: '/thing' } as const
const post = { ...get, operation: 'thing.make', method: 'POST' } as const

describe('a request', () => {
  test('has path, query, headers and JSON where they belong', async () => {
    recorder.reply(200, { ok: true })
    const query = { b: "x y&z=€!'()*~", a: 1, gone: undefined, yes: true }
    const response = await make().request({ ...post, query, json: { a: ['ü'] }, headers: { 'X-Other': '1' } })
    expect(response.json()).toEqual({ ok: true })
    expect(recorder.requests[0]).toMatchObject({
      method: 'POST',
      path: '/base/thing',
      query: 'b=x%20y%26z%3D%E2%82%AC%21%27%28%29%2A~&a=1&yes=true',
      body: '{"a":["ü"]}',
      headers: {
        'x-key': 'the-secret-key',
        'x-other': '1',
        accept: 'application/json',
        'content-type': 'application/json',
      },
    })
  })

  test('can have text, bytes or a stream of known length as its body', async () => {
    const transport = make()
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('ab')
      yield Buffer.from('cd')
    }
    for (const body of ['abcd', Buffer.from('abcd'), { stream: stream(), contentLength: 4 }, { stream: stream() }]) {
      recorder.reply(200, {})
      await transport.request({ ...post, body, headers: { 'content-type': 'text/plain' } })
    }
    expect(recorder.requests.map(({ body }) => body)).toEqual(['abcd', 'abcd', 'abcd', 'abcd'])
    const lengths = recorder.requests.map(({ headers }) => headers['content-length'])
    expect(lengths).toEqual(['4', '4', '4', undefined])
  })

  test('whose stream is longer or shorter than announced is an error of its maker', async () => {
    for (const contentLength of [3, 5]) {
      const stream = (async function* () {
        yield Buffer.from('abcd')
      })()
      await expect(make().request({ ...post, body: { stream, contentLength } })).rejects.toBeInstanceOf(
        InvalidInputError,
      )
    }
  })

  test('uses connections again', async () => {
    const transport = make()
    const ports = new Set<string | undefined>()
    for (let index = 0; index < 5; index += 1) {
      recorder.reply(200, {})
      await transport.request(get)
      ports.add(recorder.requests.at(-1)?.headers['connection'])
    }
    expect([...ports]).toEqual(['keep-alive'])
  })

  test('to another origin does not carry the key, and only goes over TLS or loopback', async () => {
    const elsewhere = await startRecorder()
    elsewhere.reply(200, {})
    const { path: _path, ...call } = post
    await make().request({ ...call, url: `${elsewhere.url}/upload?ticket=1`, query: { part: 2 } })
    expect(elsewhere.requests[0]).toMatchObject({ path: '/upload', query: 'ticket=1&part=2' })
    expect(elsewhere.requests[0]!.headers).not.toHaveProperty('x-key')
    await elsewhere.close()
    for (const url of [
      'http://example.com/',
      'https://a:b@example.com/',
      'ftp://127.0.0.1/',
      'nonsense',
      'https://x.example/#y',
    ])
      await expect(make().request({ ...call, url })).rejects.toBeInstanceOf(InvalidInputError)
  })

  test('asks for new headers at each try, with the exact URL: signatures with a nonce', async () => {
    const urls: string[] = []
    recorder.reply(502, '')
    recorder.reply(200, {})
    const transport = make({ runtime: { sleep: () => Promise.resolve() } })
    const headers = ({ url }: { url: string }): Record<string, string> => ({ nonce: String(urls.push(url)) })
    await transport.request({ ...get, query: { q: "it's" }, repeatable: true, headers })
    expect(recorder.requests.map((request) => request.headers['nonce'])).toEqual(['1', '2'])
    expect(urls[0]).toBe(`${recorder.url}/base/thing?q=it%27s`)
    expect(recorder.requests[0]!.query).toBe('q=it%27s')
  })

  test('with a header that would split the request goes nowhere [SC 87]', async () => {
    for (const value of ['a\r\nX-Evil: 1', 'a\nb', 'a\0b', 'ü'])
      await expect(make().request({ ...get, headers: { 'x-id': value } })).rejects.toBeInstanceOf(InvalidInputError)
    expect(recorder.requests).toEqual([])
  })
})

describe('a path', () => {
  const refused = [
    '',
    '.',
    '..',
    '../sms',
    'a/b',
    'a\\b',
    '%2e%2e',
    '%2E',
    'a%2fb',
    'a%5Cb',
    'a\r\nb',
    'a\0b',
    '\u202eabc',
    '\ud800',
  ]

  test.each(refused.map((value) => [value]))('does not take %j as a segment [SC 87]', (value) => {
    expect(() => encodeSegment('id', value)).toThrow(expect.objectContaining({ code: 'ERR_INPUT', field: 'id' }))
  })

  test.each([[['a']], [5], [{ toString: () => 'a' }], [null], [undefined]])(
    'does not take %j as a segment [SC 87]',
    (value) => {
      expect(() => encodeSegment('id', value as never)).toThrow(InvalidInputError)
    },
  )

  test('of any segments that are taken is one path with just these segments [SC 87]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (value, slashes) => {
        let encoded: string
        try {
          encoded = encodeSegment('id', value, { slashes })
        } catch (error) {
          return error instanceof InvalidInputError
        }
        const { pathname } = new URL(`https://a.example/x/${encoded}/y`)
        const segments = pathname.split('/')
        return segments.length === 4 && decodeURIComponent(segments[2]!) === value && segments[3] === 'y'
      }),
      { numRuns: 500 },
    )
  })

  test('can be written with its values in place', () => {
    expect(encodePath`/users/${{ id: 'a b' }}/status`).toBe('/users/a%20b/status')
    expect(encodeSegment('name', 'a/b', { slashes: true })).toBe('a%2Fb')
    expect(() => encodePath`/users/${{ userId: '..' }}/status`).toThrow(expect.objectContaining({ field: 'userId' }))
  })

  test.each(['thing', '/a/../b', '/a/%2e%2E', '/a b', '/a?b', '/a#b', '/%zz', '//', ''])(
    'that is %j goes nowhere if it could be read otherwise [SC 87]',
    async (path) => {
      if (path === '//') return // Empty segments are harmless: the host stands before them.
      await expect(make().request({ ...get, path })).rejects.toBeInstanceOf(InvalidInputError)
      expect(recorder.requests).toEqual([])
    },
  )
})

describe('what is told about a call', () => {
  test('is one event with operation, label, status, tries and duration [SC 91]', async () => {
    let now = 1000
    const transport = make({ runtime: { now: () => (now += 50), sleep: () => Promise.resolve() } })
    recorder.reply(502, '')
    recorder.reply(200, {})
    await transport.request({ ...get, label: '/thing', repeatable: true })
    expect(events).toEqual([
      {
        provider: 'demo',
        operation: 'thing.read',
        method: 'GET',
        path: '/thing',
        status: 200,
        tries: 2,
        durationMs: expect.any(Number),
        error: undefined,
      },
    ])
    recorder.reply(429, {})
    await transport.request(post).catch(() => undefined)
    expect(events[1]).toMatchObject({
      operation: 'thing.make',
      path: undefined,
      status: 429,
      error: 'ERR_PROVIDER_RATE_LIMITED',
    })
  })

  test('never shows a key, a path, a query or a body, in no log line, event or error [SC 19, 90]', async () => {
    const secrets = ['the-secret-key', 'token-1234567', 'query-secret', 'body-secret', 'answer-secret', 'header-secret']
    const transport = make({
      timeoutMs: 300,
      describeError: () => ({ code: '1', message: 'no: the-secret-key, token-1234567' }),
    })
    const call = {
      ...post,
      path: '/verify/token-1234567',
      label: '/verify/{token}',
      query: { q: 'query-secret' },
      json: { b: 'body-secret' },
      headers: { 'x-more': 'header-secret' },
      secrets: ['token-1234567'],
    }
    const outcomes: unknown[] = []
    const collect = async (status: number, body: string, headers?: Record<string, string>): Promise<void> => {
      recorder.reply(status, body, headers)
      try {
        const response = await transport.request(call)
        outcomes.push(response, transport.refusal(response))
        response.json()
      } catch (error) {
        outcomes.push(error)
      }
    }
    await collect(200, '{"half": "answer-secret')
    await collect(401, '{"a":"answer-secret"}')
    await collect(429, '"answer-secret"')
    await collect(302, 'answer-secret', { location: '/answer-secret' })
    await collect(200, 'answer-secret', { 'content-type': 'text/html' })
    await recorder.close()
    outcomes.push(await transport.request(call).catch((error: unknown) => error))
    recorder = await startRecorder()

    expect(outcomes.filter((outcome) => outcome instanceof ApprovalError).length).toBe(8)
    for (const thing of [...outcomes, ...logged, ...events, transport])
      for (const text of [
        inspect(thing, { depth: 10, showHidden: true }),
        JSON.stringify(thing),
        String((thing as Error).stack),
      ])
        for (const secret of secrets) expect(text).not.toContain(secret)
  })

  test('in an error is one short line, whatever the provider wrote', () => {
    const transport = make({
      describeError: () => ({ code: '1', message: `a\r\n\u001b[31m\u202eb ${'x'.repeat(500)}` }),
    })
    recorder.reply(400, {})
    return transport.request(get).then((response) => {
      const { message } = transport.refusal(response)
      expect(message).toMatch(/: a \[31m b x+…$/)
      expect(message.length).toBeLessThan(280)
    })
  })
})

describe('an option', () => {
  const base = { provider: 'demo', baseUrl: 'https://a.example' }
  test.each([
    ['a URL that is none', { ...base, baseUrl: 'a.example' }, 'baseUrl'],
    ['plain HTTP to somewhere', { ...base, baseUrl: 'http://a.example' }, 'baseUrl'],
    ['plain HTTP to a name that looks like loopback', { ...base, baseUrl: 'http://127.0.0.1.example' }, 'baseUrl'],
    ['a URL with credentials', { ...base, baseUrl: 'https://a:b@a.example' }, 'baseUrl'],
    ['a URL with a query', { ...base, baseUrl: 'https://a.example/?x=1' }, 'baseUrl'],
    ['a URL with a bare question mark', { ...base, baseUrl: 'https://a.example/?' }, 'baseUrl'],
    ['no deadline', { ...base, timeoutMs: 0 }, 'timeoutMs'],
    ['a deadline that no timer holds', { ...base, timeoutMs: 2 ** 31 }, 'timeoutMs'],
    ['a misspelt name', { ...base, timeoutMS: 5 }, 'timeoutMS'],
    ['a fetch that is none', { ...base, runtime: { fetch: 'fetch' } }, 'runtime.fetch'],
  ])('that is wrong stops the program: %s', (_what, options, option) => {
    expect(() => new HttpTransport(options as HttpTransportOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', option }),
    )
  })

  test('runtime.fetch may be the global fetch', async () => {
    recorder.reply(200, { ok: true })
    const transport = make({
      runtime: { fetch: (url, { headers, ...init }) => fetch(url, { ...init, headers: { ...headers }, body: null }) },
    })
    expect((await transport.request(get)).json()).toEqual({ ok: true })
    recorder.reply(302, '', { location: '/elsewhere' })
    await expect(transport.request(get)).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_PROTOCOL' }))
  })
})
