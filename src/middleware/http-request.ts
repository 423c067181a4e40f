/**
 * What this package reads of a request. Express 4 and 5 requests fit, and so does what Fastify and Nest hand to a
 * Passport strategy: headers are read directly, never by `req.get`.
 */
export interface HttpRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Express: the URL before any router took a part off it. */
  readonly originalUrl?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body?: unknown
  readonly params?: unknown
  readonly session?: unknown
  readonly user?: unknown
  /** Express: the caller's address, by the rules of `trust proxy`. */
  readonly ip?: string | undefined
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
}

/** What this package needs of a response: that of `node:http`. */
export interface HttpResponse {
  statusCode: number
  readonly headersSent: boolean
  readonly writableEnded: boolean
  setHeader(name: string, value: string | number | readonly string[]): unknown
  getHeader(name: string): number | string | string[] | undefined
  write(chunk: string): boolean
  end(chunk?: string): unknown
  on(event: 'close', listener: () => void): unknown
  flushHeaders(): void
  /** Sends `102 Processing`. Node's own responses have it. */
  writeProcessing?(): void
}

/** Express's `next`. */
export type Next = (error?: unknown) => void

/** A middleware, to be given to `app.use` or to a route. */
export type Handler = (req: HttpRequest, res: HttpResponse, next: Next) => void

/** Reads something of a request. Written as a method, so that a function of Express's own `Request` fits too. */
export type FromRequest<T> = { read(req: HttpRequest): T }['read']

/** Reads something of the application's own user object. */
export type OfUser<T> = { read(user: unknown, req: HttpRequest): T }['read']

/** A header's value; nothing if it is missing or was sent more than once. */
export function headerOf(req: HttpRequest, name: string): string | undefined {
  const value = req.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** True for a person's browser that loads a page: HTML is accepted by name, and no script asks. */
export function wantsHtml(req: HttpRequest): boolean {
  if (headerOf(req, 'x-requested-with')?.toLowerCase() === 'xmlhttprequest') return false
  return accepts(req, 'text/html')
}

/** True if the Accept header names the media type (a wildcard is no name), with a weight above zero. */
export function accepts(req: HttpRequest, mediaType: string): boolean {
  return (headerOf(req, 'accept') ?? '').split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    return type === mediaType && !parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter))
  })
}

/** True for the methods that change nothing. */
export function isSafeMethod(req: HttpRequest): boolean {
  return req.method === 'GET' || req.method === 'HEAD'
}

/** The path and query that the browser asked for. */
export function fullUrlOf(req: HttpRequest): string {
  return req.originalUrl ?? req.url ?? '/'
}

/** The caller's address. */
export function addressOf(req: HttpRequest): string | undefined {
  return req.ip ?? req.socket?.remoteAddress
}

/** A string field of a parsed body: never one from the query string, never an array or an object, never an inherited one. */
export function bodyField(req: HttpRequest, name: string): string | undefined {
  const { body } = req
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined
  const value: unknown = Reflect.get(body, name)
  return typeof value === 'string' ? value : undefined
}

/** A string parameter of the route. */
export function routeParameter(req: HttpRequest, name: string): string | undefined {
  const { params } = req
  if (typeof params !== 'object' || params === null || !Object.hasOwn(params, name)) return undefined
  const value: unknown = Reflect.get(params, name)
  return typeof value === 'string' ? value : undefined
}

/** The user's id as the application most likely names it: `user.id`. Nothing if there is no user. */
export function defaultSubject(user: unknown): string | undefined {
  if (typeof user !== 'object' || user === null) return undefined
  const id: unknown = Reflect.get(user, 'id')
  return typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint' ? String(id) : undefined
}
