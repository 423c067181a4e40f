import { afterEach, describe, expect, test } from 'vitest'
import { HttpTransport, type HttpTransportOptions } from '../../../src/providers/http.js'
import { httpAnswer, jsonAnswer, startRawServer, type RawServer } from '../../support/raw-server.js'
import { testRuntime, type TestClock } from '../../support/test-runtime.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Setup {
  readonly server: RawServer
  readonly transport: HttpTransport
  readonly clock: TestClock
  /** How long each pause was. */
  readonly pauses: number[]
}

/** A server that gives the answers one after the other, the last one for ever; undefined resets the connection. */
async function setUp(
  answers: readonly (string | undefined)[],
  options: Partial<HttpTransportOptions> = {},
): Promise<Setup> {
  const server = await startRawServer((socket, _request, index) => {
    const answer = answers[Math.min(index, answers.length - 1)]
    if (answer === undefined) socket.resetAndDestroy()
    else socket.write(answer)
  })
  const { runtime, clock } = testRuntime()
  const pauses: number[] = []
  const sleep = async (ms: number): Promise<void> => {
    pauses.push(ms)
    clock.set(clock.now() + ms)
  }
  const transport = new HttpTransport({
    provider: 'demo',
    baseUrl: server.url,
    runtime: { ...runtime, sleep },
    ...options,
  })
  cleanups.push(
    () => server.close(),
    () => transport.close(),
  )
  return { server, transport, clock, pauses }
}

const read = { operation: 'thing.read', method: 'GET', path: '/thing', repeatable: true } as const
const write = { operation: 'thing.make', method: 'POST', path: '/thing', json: {} } as const
const fine = jsonAnswer({ ok: true })
const down = httpAnswer(502, { 'content-type': 'text/html' }, '<h1>Bad gateway</h1>')

describe('a harmless call', () => {
  test.each([
    ['a lost connection', undefined],
    ['a 502', down],
    ['a 503', httpAnswer(503, {}, '')],
  ])('is repeated after %s [SC 84]', async (_what, answer) => {
    const { server, transport, pauses } = await setUp([answer, answer, fine])
    expect((await transport.request(read)).json()).toEqual({ ok: true })
    expect(server.requests).toHaveLength(3)
    // Growing pauses, each with jitter: 100 to 200 ms, then 200 to 400 ms.
    expect(pauses).toHaveLength(2)
    expect(pauses[0]).toBeGreaterThanOrEqual(100)
    expect(pauses[0]).toBeLessThanOrEqual(200)
    expect(pauses[1]).toBeGreaterThanOrEqual(200)
    expect(pauses[1]).toBeLessThanOrEqual(400)
  })

  test('is given up after two repeats, with what came last', async () => {
    const { server, transport } = await setUp([undefined, down, down])
    expect((await transport.request(read)).status).toBe(502)
    expect(server.requests).toHaveLength(3)
  })

  test('is not repeated after an answer that is final', async () => {
    for (const answer of [
      jsonAnswer({}, 404),
      httpAnswer(302, { location: '/' }),
      httpAnswer(200, {}, 'x'.repeat(2_000_000)),
    ]) {
      const { server, transport } = await setUp([answer, fine])
      await transport.request(read).catch(() => undefined)
      expect(server.requests).toHaveLength(1)
    }
  })

  test('is not repeated when the provider itself says what is wrong', async () => {
    const { server, transport } = await setUp([jsonAnswer({ code: '60025' }, 500), fine], {
      describeError: (response) => response.json() as { code: string },
    })
    expect((await transport.request(read)).status).toBe(500)
    expect(server.requests).toHaveLength(1)
  })

  test('ends when its caller gives up in the pause', async () => {
    const controller = new AbortController()
    const reason = new Error('gone')
    const sleep = (_ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('woken')))
        controller.abort(reason)
      })
    const { server, transport } = await setUp([down], { runtime: { sleep } })
    await expect(transport.request({ ...read, signal: controller.signal })).rejects.toBe(reason)
    expect(server.requests).toHaveLength(1)
  })
})

describe('a call that does something', () => {
  test.each([
    ['a lost connection', undefined],
    ['a 502', down],
    ['a 503 with Retry-After', httpAnswer(503, { 'retry-after': '0' })],
    ['a 429 with Retry-After', httpAnswer(429, { 'retry-after': '0' })],
  ])('is sent once and never again after %s [SC 84, 85]', async (_what, answer) => {
    const { server, transport } = await setUp([answer, fine])
    await transport.request(write).catch(() => undefined)
    expect(server.requests).toHaveLength(1)
  })

  test('is sent once also when its answer is dropped after the provider acted [SC 85]', async () => {
    const { server, transport } = await setUp([fine.slice(0, -3)], { timeoutMs: 80 })
    await expect(transport.request(write)).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_TIMEOUT' }))
    expect(server.requests).toHaveLength(1)
  })
})

describe('Retry-After', () => {
  test.each([
    ['in seconds', '2', 2000],
    ['as a date', 'Fri, 15 Jan 2027 08:00:03 GMT', 3000],
    ['as a date that has passed', 'Fri, 15 Jan 2027 07:00:00 GMT', 0],
    ['that is endless', '99999999999', undefined],
    ['that is no number', '-1', undefined],
    ['that is hexadecimal', '0x10', undefined],
    ['that is empty', '', undefined],
    ['that is missing', undefined, undefined],
  ])('%s stands in the error of a call that is not repeated', async (_how, header, retryAfterMs) => {
    const headers: Record<string, string> = header === undefined ? {} : { 'retry-after': header }
    const { transport } = await setUp([jsonAnswer({ error_code: '60003' }, 429, headers)], {
      describeError: () => ({ code: '60003' }),
    })
    await expect(transport.request(write)).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_PROVIDER_RATE_LIMITED', status: 429, retryAfterMs, providerCode: '60003' }),
    )
  })

  test('of 503 says the same', async () => {
    const { transport } = await setUp([httpAnswer(503, { 'retry-after': '7' })])
    await expect(transport.request(write)).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_PROVIDER_RATE_LIMITED', status: 503, retryAfterMs: 7000 }),
    )
  })

  test('is kept before a harmless call is repeated', async () => {
    const { transport, pauses } = await setUp([httpAnswer(429, { 'retry-after': '3' }), fine])
    await transport.request(read)
    expect(pauses).toEqual([3000])
  })

  test('beyond the deadline is not waited for', async () => {
    const { server, transport, pauses } = await setUp([httpAnswer(429, { 'retry-after': '60' }), fine])
    await expect(transport.request(read)).rejects.toEqual(expect.objectContaining({ retryAfterMs: 60_000 }))
    expect(server.requests).toHaveLength(1)
    expect(pauses).toEqual([])
  })
})

describe('a provider that is down', () => {
  test('gets few repeats: ten are saved up, and then one for each five calls [SC 84]', async () => {
    const { server, transport } = await setUp([down], { breaker: { failures: 10_000 } })
    for (let index = 0; index < 100; index += 1) await transport.request(read)
    // 100 first tries, 10 repeats from the start and 20 that 100 calls earned; never 300.
    expect(server.requests.length).toBeGreaterThanOrEqual(120)
    expect(server.requests.length).toBeLessThanOrEqual(130)
  })

  test('is left alone after five failures in a row, until one call may try again [SC 84]', async () => {
    const answers: (string | undefined)[] = [undefined, down, undefined, down, undefined, undefined, fine]
    const { server, transport, clock } = await setUp(answers)
    for (let index = 0; index < 5; index += 1) await transport.request(write).catch(() => undefined)
    const refused = expect.objectContaining({ code: 'ERR_PROVIDER_UNREACHABLE', reason: 'CIRCUIT_OPEN' })
    await expect(transport.request(write)).rejects.toEqual(refused)
    expect(server.requests).toHaveLength(5)

    clock.set(clock.now() + 5000)
    const [probe, second] = await Promise.allSettled([transport.request(write), transport.request(write)])
    expect(probe).toEqual({ status: 'rejected', reason: expect.objectContaining({ reason: 'ECONNRESET' }) })
    expect(second).toEqual({ status: 'rejected', reason: refused })
    await expect(transport.request(write)).rejects.toEqual(refused)
    expect(server.requests).toHaveLength(6)

    clock.set(clock.now() + 5000)
    await transport.request(write)
    await transport.request(write)
    expect(server.requests).toHaveLength(8)
  })

  test('is not what a caller who gives up, a limit, or a refusal says', async () => {
    const { server, transport } = await setUp([httpAnswer(429, {}), jsonAnswer({}, 401)], { timeoutMs: 2000 })
    for (let index = 0; index < 20; index += 1) {
      await transport.request(write).catch(() => undefined)
      const controller = new AbortController()
      const aborted = transport.request({ ...write, signal: controller.signal })
      controller.abort()
      await aborted.catch(() => undefined)
    }
    expect((await transport.request(write)).status).toBe(401)
    expect(server.requests.length).toBeGreaterThanOrEqual(21)
  })

  test('is not what a slow upload says: nobody closes the provider to others by dripping a file', async () => {
    const server = await startRawServer((socket, head) => {
      if (!head.includes('content-length: 10')) socket.write(fine)
    })
    const transport = new HttpTransport({ provider: 'demo', baseUrl: server.url })
    cleanups.push(
      () => server.close(),
      () => transport.close(),
    )
    const drip = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      await new Promise(() => undefined)
    }
    for (let index = 0; index < 6; index += 1) {
      const upload = { ...write, json: undefined, body: { stream: drip(), contentLength: 10 }, timeoutMs: 20 }
      await expect(transport.request(upload)).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_TIMEOUT' }))
    }
    expect((await transport.request(write)).status).toBe(200)
  })

  test('is tried again when the clock was set back', async () => {
    const { transport, clock } = await setUp([undefined, undefined, undefined, undefined, undefined, fine])
    for (let index = 0; index < 5; index += 1) await transport.request(write).catch(() => undefined)
    clock.set(clock.now() - 3_600_000)
    expect((await transport.request(write)).status).toBe(200)
  })
})
