import { afterEach, describe, expect, test } from 'vitest'
import { ProviderProtocolError, ProviderTimeoutError, ProviderUnreachableError } from 'passport-outofband'
import { HttpTransport, type HttpTransportOptions } from '../../../src/providers/http.js'
import { httpAnswer, jsonAnswer, startRawServer, type RawHandler, type RawServer } from '../../support/raw-server.js'
import { waitFor } from '../../support/wait-for.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function setUp(
  handler: RawHandler,
  options: Partial<HttpTransportOptions> = {},
): Promise<{ server: RawServer; transport: HttpTransport }> {
  const server = await startRawServer(handler)
  const transport = new HttpTransport({ provider: 'demo', baseUrl: server.url, timeoutMs: 5000, ...options })
  cleanups.push(
    () => server.close(),
    () => transport.close(),
  )
  return { server, transport }
}

const call = { operation: 'thing.read', method: 'GET', path: '/thing' } as const

describe('a provider that stalls', () => {
  test('and never answers ends the call at its deadline [SC 84]', async () => {
    const { server, transport } = await setUp(() => undefined, { timeoutMs: 60 })
    await expect(transport.request(call)).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_PROVIDER_TIMEOUT', phase: 'total', timeoutMs: 60 }),
    )
    await waitFor(() => server.sockets.size === 0, { message: 'the connection is closed' })
  })

  test.each([
    ['after the status line', 'HTTP/1.1 200 OK\r\n'],
    ['after the headers', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n'],
    [
      'in the middle of the body',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"a":',
    ],
    ['in the middle of a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{"a":'],
  ])('%s ends the call at its deadline [SC 84]', async (_where, bytes) => {
    const { server, transport } = await setUp((socket) => socket.write(bytes), { timeoutMs: 80 })
    await expect(transport.request(call)).rejects.toBeInstanceOf(ProviderTimeoutError)
    await waitFor(() => server.sockets.size === 0, { message: 'the connection is closed' })
  })

  test('and drips its body ends the call at its deadline, however alive it looks [SC 84]', async () => {
    const { transport } = await setUp(
      (socket) => {
        socket.write(httpAnswer(200, { 'content-length': '1000000', 'content-type': 'application/json' }))
        const timer = setInterval(() => socket.write(' '), 5)
        socket.once('close', () => clearInterval(timer))
      },
      { timeoutMs: 120 },
    )
    await expect(transport.request(call)).rejects.toBeInstanceOf(ProviderTimeoutError)
  })

  test('in the TLS handshake ends the call at the connect deadline [SC 84]', async () => {
    const server = await startRawServer(() => undefined)
    const transport = new HttpTransport({
      provider: 'demo',
      baseUrl: `https://127.0.0.1:${server.port}`,
      connectTimeoutMs: 60,
      timeoutMs: 10_000,
    })
    cleanups.push(
      () => server.close(),
      () => transport.close(),
    )
    await expect(transport.request(call)).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_PROVIDER_TIMEOUT', phase: 'connect', timeoutMs: 60 }),
    )
    await waitFor(() => server.sockets.size === 0, { message: 'the connection is closed' })
  })

  test('behind a fetch that ignores signals ends the call all the same [SC 84]', async () => {
    const fetch = () => new Promise<never>(() => undefined)
    const transport = new HttpTransport({
      provider: 'demo',
      baseUrl: 'https://demo.example',
      timeoutMs: 40,
      runtime: { fetch },
    })
    await expect(transport.request(call)).rejects.toBeInstanceOf(ProviderTimeoutError)
  })
})

describe('a provider that breaks off', () => {
  const answer = jsonAnswer({ status: 'approved', pad: 'x'.repeat(20) })

  test('at any byte of its answer is an error, never half an answer [SC 84]', async () => {
    const { server, transport } = await setUp(
      (socket, _request, index) => {
        const bytes = answer.slice(0, index)
        // Every second time with a reset instead of an orderly end.
        socket.write(bytes, () => (index % 2 === 0 ? socket.end() : socket.resetAndDestroy()))
      },
      { breaker: { failures: 10_000 } },
    )
    for (let length = 0; length < answer.length; length += 1) {
      const error: unknown = await transport.request(call).then(
        (response) => response.json(),
        (reason: unknown) => reason,
      )
      expect(error, `after ${length} bytes`).toSatisfy(
        (reason) => reason instanceof ProviderUnreachableError || reason instanceof ProviderProtocolError,
      )
    }
    expect(server.requests).toHaveLength(answer.length)
  })

  test('in a chunked answer is an error at every byte [SC 84]', async () => {
    const chunked =
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"a":true\r\n1\r\n}\r\n0\r\n\r\n'
    const { transport } = await setUp((socket, _request, index) => socket.end(chunked.slice(0, index)), {
      breaker: { failures: 10_000 },
    })
    for (let length = 0; length < chunked.length; length += 1)
      await expect(transport.request(call), `after ${length} bytes`).rejects.toBeInstanceOf(Error)
  })

  test('before the first byte is unreachable, with the code of the system', async () => {
    const { server, transport } = await setUp((socket) => socket.resetAndDestroy())
    await expect(transport.request(call)).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_PROVIDER_UNREACHABLE', reason: 'ECONNRESET' }),
    )
    await server.close()
    await expect(transport.request(call)).rejects.toEqual(expect.objectContaining({ reason: 'ECONNREFUSED' }))
  })
})

describe('a provider that floods', () => {
  test('with 100 MB is cut off at the limit, announced or not [SC 84]', async () => {
    let written = 0
    const flood: RawHandler = (socket, request) => {
      const head = request.includes('announced')
        ? 'HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'
      socket.write(head)
      const block = Buffer.alloc(65_536, 0x20)
      const more = (): void => {
        while (written < 104_857_600 && !socket.destroyed) {
          written += block.length
          if (!socket.write(block)) return void socket.once('drain', more)
        }
      }
      more()
    }
    const { server, transport } = await setUp(flood)
    for (const path of ['/announced', '/endless']) {
      written = 0
      await expect(transport.request({ ...call, path })).rejects.toThrow('larger than 1048576 bytes')
      await waitFor(() => server.sockets.size === 0, { message: 'the connection is closed' })
      // What was on its way in socket buffers, but by far not the whole.
      expect(written).toBeLessThan(50_000_000)
    }
  })

  test('with one byte over the limit is refused, with exactly the limit accepted', async () => {
    const { transport } = await setUp((socket, request) => {
      socket.write(httpAnswer(200, {}, 'x'.repeat(request.includes('/over') ? 2001 : 2000)))
    })
    const limited = { ...call, maxResponseBytes: 2000 }
    expect((await transport.request(limited)).bytes).toHaveLength(2000)
    await expect(transport.request({ ...limited, path: '/over' })).rejects.toBeInstanceOf(ProviderProtocolError)
  })

  test('with endless headers is an error [SC 84]', async () => {
    const { transport } = await setUp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = (): void => {
        while (!socket.destroyed)
          if (!socket.write(`x: ${'y'.repeat(8000)}\r\n`)) return void socket.once('drain', more)
      }
      more()
    })
    await expect(transport.request(call)).rejects.toBeInstanceOf(ProviderProtocolError)
  })
})

describe('a provider that answers something else', () => {
  test.each([
    ['half a JSON', httpAnswer(200, { 'content-type': 'application/json' }, '{"success":tr')],
    ['HTML', httpAnswer(200, { 'content-type': 'text/html' }, '<html>{"success":true}</html>')],
    ['JSON with another label', httpAnswer(200, { 'content-type': 'text/plain' }, '{"success":true}')],
    ['JSON without a label', httpAnswer(200, {}, '{"success":true}')],
    ['nothing', httpAnswer(200, { 'content-type': 'application/json' })],
    [
      'bytes that are not UTF-8',
      httpAnswer(200, { 'content-type': 'application/json', 'content-length': '3' }) + '"\x80"',
    ],
    [
      'gzip that nobody asked for',
      httpAnswer(
        200,
        { 'content-type': 'application/json', 'content-encoding': 'gzip', 'content-length': '2' },
        '\x1f\x8b',
      ),
    ],
  ])('%s is a protocol error when read as JSON [SC 86]', async (_what, answer) => {
    const { transport } = await setUp((socket) => socket.end(Buffer.from(answer, 'latin1')))
    const read = transport.request(call).then((response) => response.json())
    await expect(read).rejects.toBeInstanceOf(ProviderProtocolError)
  })

  test.each([300, 301, 302, 303, 304, 307, 308])('%i is an error: no redirect is followed', async (status) => {
    const { server, transport } = await setUp((socket) => {
      socket.write(httpAnswer(status, { location: `${server.url}/elsewhere` }))
    })
    await expect(transport.request(call)).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_PROVIDER_PROTOCOL', status }),
    )
    expect(server.requests).toHaveLength(1)
  })

  test('something that is not HTTP is a protocol error', async () => {
    const { transport } = await setUp((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    await expect(transport.request(call)).rejects.toBeInstanceOf(ProviderProtocolError)
  })
})

describe('a caller who gives up', () => {
  const reason = new Error('the browser is gone')

  test('before the call sends nothing and gets the own reason back', async () => {
    const { server, transport } = await setUp((socket) => socket.write(jsonAnswer({})))
    await expect(transport.request({ ...call, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(server.requests).toHaveLength(0)
  })

  test.each([
    ['while waiting for the answer', ''],
    ['in the middle of the answer', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'],
  ])('%s gets the own reason back, and the connection is closed', async (_when, bytes) => {
    const controller = new AbortController()
    const { server, transport } = await setUp((socket) => {
      if (bytes) socket.write(bytes)
      setImmediate(() => controller.abort(reason))
    })
    await expect(transport.request({ ...call, signal: controller.signal })).rejects.toBe(reason)
    await waitFor(() => server.sockets.size === 0, { message: 'the connection is closed' })
  })

  test('leaves no listener on a signal that lives on', async () => {
    const { transport } = await setUp((socket) => socket.write(jsonAnswer({})))
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1
      remove(...args)
    }
    for (let index = 0; index < 20; index += 1) await transport.request({ ...call, signal })
    expect(listeners).toBe(0)
  })
})

test('a body that is streamed has the same deadline, limit and abort [SC 84]', async () => {
  const { server, transport } = await setUp(
    (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'),
    { timeoutMs: 100 },
  )
  const drain = async (body: AsyncIterable<Uint8Array>): Promise<number> => {
    let size = 0
    for await (const chunk of body) size += chunk.length
    return size
  }
  const stalled = await transport.stream(call)
  expect(stalled.status).toBe(200)
  await expect(drain(stalled.body)).rejects.toBeInstanceOf(ProviderTimeoutError)

  const controller = new AbortController()
  const aborted = await transport.stream({ ...call, signal: controller.signal })
  const reading = drain(aborted.body)
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(reading).rejects.toBe(reason)

  const cancelled = await transport.stream(call)
  cancelled.cancel()
  const unread = await transport.stream(call)
  expect(unread.status).toBe(200)
  await waitFor(() => server.sockets.size === 0, { message: 'the connections are closed, also of what nobody reads' })
})

test('an upload whose stream fails ends with the error of that stream, and the provider gets no complete request', async () => {
  const { server, transport } = await setUp(() => undefined)
  const broken = new Error('the disk is gone')
  const stream = (async function* () {
    yield Buffer.from('abc')
    throw broken
  })()
  const upload = { ...call, method: 'POST', body: { stream, contentLength: 10 } } as const
  await expect(transport.request(upload)).rejects.toBe(broken)
  await waitFor(() => server.sockets.size === 0, { message: 'the connection is closed' })
})
