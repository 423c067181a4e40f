import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApprovalError } from '../errors.js'
import type { Logger } from '../runtime.js'
import { problem, Refusal, unavailable, type Answer } from './refusal.js'

/** What Express (4 and 5), Connect and a plain `node:http` server take. */
export type ServiceHandler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** A request on its way to a route. */
export interface Call {
  readonly req: IncomingMessage
  /** The variable parts of the path, decoded. */
  readonly params: readonly string[]
}

export interface Route {
  readonly method: Method
  /** With a slash at the end; `{name}` stands for one segment. */
  readonly path: string
  readonly handle: (call: Call) => Promise<Answer>
}

export interface RouterSettings {
  readonly logger: Logger
  /** Answers a path without its last slash by a redirect, as the original does, instead of serving it. */
  readonly redirectMissingSlash: boolean
  /** Runs before everything else. */
  readonly before?: (req: IncomingMessage) => Promise<void>
}

interface Place {
  readonly methods: Map<Method, Route>
  readonly segments: readonly string[]
}

interface Found {
  readonly place: Place
  readonly params: readonly string[]
}

/** A router of its own, so that the room needs no framework: it decides on 404, 405, 308, HEAD and OPTIONS as the original does. */
export function createRouter(routes: readonly Route[], settings: RouterSettings): ServiceHandler {
  const places = toPlaces(routes)
  return (req, res) => {
    respond(places, settings, req)
      .catch((error: unknown) => toAnswer(error, settings.logger))
      .then((answer) => send(res, answer))
      .catch((error: unknown) => {
        settings.logger.error({ err: error }, 'an answer could not be sent')
        res.destroy()
      })
  }
}

async function respond(places: readonly Place[], settings: RouterSettings, req: IncomingMessage): Promise<Answer> {
  await settings.before?.(req)
  const path = (req.url ?? '/').split('?')[0] ?? '/'
  const slashed = path.endsWith('/') ? path : `${path}/`
  const found = find(places, slashed)
  if (found === undefined) throw problem(404, 'The requested URL was not found on the server')
  if (settings.redirectMissingSlash && slashed !== path) return redirect(req, found)
  const method = req.method === 'HEAD' ? 'GET' : req.method
  if (method === 'OPTIONS')
    return { status: 200, contentType: 'text/html; charset=utf-8', headers: { Allow: allow(found.place) } }
  const route = [...found.place.methods.values()].find((candidate) => candidate.method === method)
  if (route === undefined) {
    throw problem(405, 'The method is not allowed for the requested URL', { Allow: allow(found.place) })
  }
  return route.handle({ req, params: found.params })
}

function toPlaces(routes: readonly Route[]): readonly Place[] {
  const places = new Map<string, Place>()
  for (const route of routes) {
    const place = places.get(route.path) ?? { methods: new Map(), segments: route.path.slice(1).split('/') }
    place.methods.set(route.method, route)
    places.set(route.path, place)
  }
  return [...places.values()]
}

function find(places: readonly Place[], path: string): Found | undefined {
  const segments = path.slice(1).split('/')
  for (const place of places) {
    const params = match(place.segments, segments)
    if (params !== undefined) return { place, params }
  }
  return undefined
}

function match(pattern: readonly string[], segments: readonly string[]): readonly string[] | undefined {
  if (pattern.length !== segments.length) return undefined
  const params: string[] = []
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    if (!part.startsWith('{')) {
      if (part !== segment) return undefined
      continue
    }
    const value = decode(segment)
    if (value === '' || value.includes('/')) return undefined
    params.push(value)
  }
  return params
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function allow(place: Place): string {
  const methods = [...place.methods.keys()]
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
}

function redirect(req: IncomingMessage, _found: Found): Answer {
  const original: unknown = Reflect.get(req, 'originalUrl')
  const [path = '/', query] = (typeof original === 'string' ? original : (req.url ?? '/')).split('?')
  const scheme = Reflect.get(req.socket, 'encrypted') === true ? 'https' : 'http'
  const location = `${scheme}://${req.headers.host ?? 'localhost'}${path}/${query === undefined ? '' : `?${query}`}`
  return {
    status: 308,
    contentType: 'text/html; charset=utf-8',
    text: '<p>Moved</p>\n',
    headers: { Location: location },
  }
}

function toAnswer(error: unknown, logger: Logger): Answer {
  if (error instanceof Refusal) return error.answer
  const err = error instanceof Error ? error : new Error('something that is no error was thrown')
  if (err instanceof ApprovalError && /^ERR_(STORE|PROVIDER)_/.test(err.code)) {
    logger.error({ err }, 'a store or a provider did not answer; the request was refused')
    return unavailable('The service is not available at the moment').answer
  }
  const id = randomUUID()
  logger.error({ err, id }, 'a request failed unexpectedly')
  return problem(500, `The server could not complete the request. Its operator finds the reason under ${id}`).answer
}

function send(res: ServerResponse, answer: Answer): void {
  if (res.headersSent || res.destroyed) return
  const text = answer.text ?? (answer.body === undefined ? '' : `${JSON.stringify(answer.body)}\n`)
  res.statusCode = answer.status
  res.removeHeader('X-Powered-By')
  res.setHeader('Content-Type', answer.contentType ?? 'application/json')
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('X-Content-Type-Options', 'nosniff')
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    // Cookies of others, set before, stay.
    if (name === 'Set-Cookie') res.appendHeader(name, value)
    else res.setHeader(name, value)
  }
  if (answer.status !== 204) res.setHeader('Content-Length', Buffer.byteLength(text))
  res.end(text)
}
