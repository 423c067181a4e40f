import { z } from 'zod'
import { parseOptions } from '../options.js'
import { answerProblem } from './http-answer.js'
import { headerOf, isSafeMethod, type Handler, type HttpRequest } from './http-request.js'

/** What {@link sameOrigin} takes. */
export interface SameOriginOptions {
  /** Other origins of the application's own, such as `https://app.example.com`. */
  readonly origins?: readonly string[] | undefined
}

/** Origins that count as the application's own. */
export const originsOption = z
  .array(
    z
      .string()
      .refine(
        (origin) => URL.canParse(origin) && new URL(origin).origin === origin,
        'give origins: scheme and host, no path',
      ),
  )
  .max(256)
  .default([])

const optionsSchema = z.strictObject({ origins: originsOption })

/**
 * Refuses requests that change something and that another site has caused (cross-site request forgery), by what the
 * browser says of them: `Sec-Fetch-Site`, else `Origin`, else `Referer`. Callers that send none of these are no
 * browsers, and pass. GET, HEAD and OPTIONS pass.
 *
 * @throws InvalidOptionError
 *
 * @example
 * app.use(sameOrigin())
 */
export function sameOrigin(options: SameOriginOptions = {}): Handler {
  const { origins } = parseOptions(optionsSchema, options, 'sameOrigin')
  const own = new Set(origins)
  return function sameOriginMiddleware(req, res, next) {
    if (isSafeMethod(req) || req.method === 'OPTIONS' || isSameOrigin(req, own)) return next()
    answerProblem(res, { status: 403, title: 'The request came from another site' })
  }
}

/** True unless the browser says that another origin caused the request. */
export function isSameOrigin(req: HttpRequest, own: ReadonlySet<string> = new Set()): boolean {
  const origin = headerOf(req, 'origin')
  if (origin !== undefined && own.has(origin)) return true
  const site = headerOf(req, 'sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  // Sent twice, a header is no statement that we could trust.
  if (req.headers['origin'] === undefined && req.headers['referer'] === undefined) return true
  const cause = origin ?? headerOf(req, 'referer') ?? ''
  // The Host header is the browser's own; another site can't choose it.
  return URL.canParse(cause) && new URL(cause).host === headerOf(req, 'host')?.toLowerCase()
}
