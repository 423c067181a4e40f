import type { ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { SandboxClock } from './clock.js'
import type { Fault } from './faults.js'
import { type SandboxReply, type SandboxRequest, text } from './http-message.js'

/** How the stand-in itself would say this error: with the provider's real body. */
export type ErrorReply = (status: number, code?: string) => SandboxReply

export interface FaultTools {
  readonly clock: SandboxClock
  readonly errorReply: ErrorReply
}

/** Instead of an answer: the connection is held open, or goes away. */
export interface Silence {
  readonly silence: 'hang' | 'reset'
}

/** What happens before the stand-in sees the request. Gives an answer when the fault is one. */
export async function before(
  faults: readonly Fault[],
  request: SandboxRequest,
  tools: FaultTools,
): Promise<SandboxReply | Silence | undefined> {
  for (const fault of faults) {
    if (fault.kind === 'delay') await tools.clock.sleep(fault.ms, request.signal)
    if ((fault.kind === 'hang' || fault.kind === 'reset') && (fault.when ?? 'before') === 'before') {
      return { silence: fault.kind }
    }
    if (fault.kind === 'error') return tools.errorReply(fault.status, fault.code)
    if (fault.kind === 'redirect') return { ...text(302, ''), headers: { location: fault.location } }
    if (fault.kind === 'rate-limit') {
      const reply = tools.errorReply(429)
      const wait = fault.retryAfterSeconds
      return wait === undefined ? reply : { ...reply, headers: { ...reply.headers, 'retry-after': String(wait) } }
    }
  }
  return undefined
}

/** What happens to the stand-in's answer, after it has done what was asked. */
export function after(faults: readonly Fault[], reply: SandboxReply): SandboxReply | Silence {
  for (const fault of faults) {
    if ((fault.kind === 'hang' || fault.kind === 'reset') && fault.when === 'after') return { silence: fault.kind }
  }
  return faults.reduce((current, fault) => spoil(fault, current), reply)
}

function spoil(fault: Fault, reply: SandboxReply): SandboxReply {
  const whole = typeof reply.body === 'string' ? reply.body : ''
  switch (fault.kind) {
    case 'broken-json':
      return { ...reply, body: whole.replace(/[}\]]?$/, ',,"') }
    case 'truncated':
      return { ...reply, body: whole.slice(0, Math.ceil(whole.length / 2)) }
    case 'empty':
      return { ...reply, body: '' }
    case 'html':
      return text(reply.status, '<!doctype html><title>Gateway</title><h1>It works!</h1>', 'text/html;charset=utf-8')
    case 'content-type':
      return { ...reply, headers: { ...reply.headers, 'content-type': fault.type ?? 'text/plain' } }
    case 'oversized':
      return { ...reply, body: oversized(whole, fault.bytes ?? 100 * 1024 * 1024) }
    default:
      return reply
  }
}

// Still the right JSON, only with far too many blanks in front: a client without a cap would take it.
async function* oversized(whole: string, bytes: number): AsyncGenerator<string | Buffer> {
  const blanks = Buffer.alloc(64 * 1024, ' ')
  for (let sent = 0; sent < bytes; sent += blanks.length) yield blanks
  yield whole
}

/** Writes the answer, dripping or breaking off where a fault says so. */
export async function write(
  response: ServerResponse,
  reply: SandboxReply,
  faults: readonly Fault[],
  request: SandboxRequest,
  clock: SandboxClock,
): Promise<void> {
  const { body } = reply
  const bytes = body === undefined ? Buffer.alloc(0) : typeof body === 'string' ? Buffer.from(body) : body
  response.writeHead(reply.status, {
    date: new Date(clock.now()).toUTCString(),
    ...(bytes instanceof Uint8Array ? { 'content-length': String(bytes.length) } : {}),
    ...reply.headers,
  })
  if (request.method === 'HEAD') return void response.end()
  if (!(bytes instanceof Uint8Array)) return writeStream(response, bytes, request.signal)
  const drip = faults.find((fault) => fault.kind === 'drip')
  if (faults.some((fault) => fault.kind === 'reset' && fault.when === 'mid-body')) {
    await new Promise<void>((resolve) =>
      response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => resolve()),
    )
    disappear('reset', request)
    return
  }
  if (!drip) return void response.end(bytes)
  const step = drip.bytes ?? 1
  for (let at = 0; at < bytes.length; at += step) {
    response.write(bytes.subarray(at, at + step))
    await clock.sleep(drip.everyMs ?? 1000, request.signal)
  }
  response.end()
}

async function writeStream(
  response: ServerResponse,
  chunks: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of chunks) {
    if (signal.aborted) return
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/** Ends a request without an answer. */
export function disappear(how: Silence['silence'], { incoming }: SandboxRequest): void {
  // Hanging: the socket stays open until the caller or the sandbox ends it.
  if (how === 'hang') return void incoming.resume()
  const { socket } = incoming
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}
