import { type IncomingMessage, ServerResponse } from 'node:http'
import type { ServiceHandler } from '../../users/routing.js'
import { json, type SandboxHandler, type SandboxReply } from '../http-message.js'

/** Serves a router below a base path, and on pages outside of it that the pattern names, with the faults of the sandbox around it. */
export function mount(router: ServiceHandler, basePath: string, pages?: RegExp): SandboxHandler {
  return ({ path, target, incoming }) => {
    if (path.startsWith(`${basePath}/`)) incoming.url = target.slice(basePath.length)
    else if (!pages?.test(path)) return errorReply(404)
    return new Promise((resolve, reject) => router(incoming, new KeptResponse(incoming, resolve), reject))
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** An error as these services say it: a code with a description, or a problem document. */
export function errorReply(status: number, code?: string): SandboxReply {
  if (code !== undefined) return json(status, { code, description: 'The sandbox was told to answer so.' })
  const title = titles[status] ?? 'Error'
  const type = { 'content-type': 'application/problem+json' }
  return json(status, { type: 'about:blank', title, status, detail: title }, type)
}

/** Keeps an answer instead of sending it, so that it can still be spoilt on its way. */
class KeptResponse extends ServerResponse {
  readonly #done: (reply: SandboxReply) => void

  constructor(incoming: IncomingMessage, done: (reply: SandboxReply) => void) {
    super(incoming)
    this.#done = done
  }

  override end(...[body]: unknown[]): this {
    const headers = Object.entries(this.getHeaders()).map(([name, value]) => [name, [value].flat().join(', ')])
    const text = typeof body === 'string' ? body : ''
    this.#done({ status: this.statusCode, headers: Object.fromEntries(headers) as Record<string, string>, body: text })
    return this
  }
}
