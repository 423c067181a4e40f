import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { InvalidOptionError } from '../errors.js'
import { functionOption, parseOptions } from '../options.js'
import type { ServiceHandler } from './routing.js'
import type { TokenVerification } from './token-service.js'

/** What {@link requireRole} takes: `verifyToken` for bearer tokens, or `userOf` for sessions. */
export interface RequireRoleOptions {
  /** `service.tokens.verify` of a user service. */
  readonly verifyToken?: (token: string) => Promise<TokenVerification>
  /**
   * Who is signed in, for pages: `(req) => req.user`, an object with the list `roles`; without it, nobody. The roles count
   * as they are given here, so they should have been read for this request, as `service.accounts.findBySession` does.
   */
  readonly userOf?: UserOf['of']
  /** One of these is needed; left out, a good token, or to be signed in, is enough. */
  readonly anyOf?: readonly string[]
  /** Answers who is refused, with a page of the application's. Default: JSON, as the user service does. */
  readonly onRefused?: OnRefused['answer']
}

// Written as methods, so that functions of Express's own types fit too.
interface UserOf {
  of(req: IncomingMessage & { readonly user?: unknown }): unknown
}
interface OnRefused {
  answer(refusal: RoleRefusal, req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
}

/** Why somebody was refused: 401 nobody is signed in, 403 `MissingRoleError`, or what the token check says. */
export interface RoleRefusal {
  readonly status: number
  readonly code: string
  readonly description: string
}

const optionsSchema = z.strictObject({
  verifyToken: functionOption<(token: string) => Promise<TokenVerification>>().optional(),
  userOf: functionOption<UserOf['of']>().optional(),
  anyOf: z.array(z.string().min(1)).min(1).optional(),
  onRefused: functionOption<OnRefused['answer']>().default(() => refuse),
})

/**
 * Lets a request through whose bearer token is good and whose user has one of the roles, as the store says at this
 * moment; the user stands in `req.user` afterwards. With `userOf` it does the same for whoever is signed in by session.
 * Others get the answers of the user service: 401, or 403 `MissingRoleError`.
 *
 * @throws {@link InvalidOptionError}
 *
 * @example
 * app.use('/admin', requireRole({ verifyToken: service.tokens.verify, anyOf: ['admin'] }))
 */
export function requireRole(options: RequireRoleOptions): ServiceHandler {
  const { verifyToken, userOf, anyOf, onRefused } = parseOptions(optionsSchema, options, 'requireRole')
  const identify = identifier(verifyToken, userOf)
  return (req, res, next = () => undefined) => {
    identify(req).then((found) => {
      const refusal = 'refusal' in found ? found.refusal : refusalFor(found.user, anyOf)
      if (refusal !== undefined) return onRefused(refusal, req, res, next)
      if (verifyToken !== undefined && 'user' in found) Reflect.set(req, 'user', found.user)
      next()
    }, next)
  }
}

type Found = { readonly user: object } | { readonly refusal: RoleRefusal }
type Identify = (req: IncomingMessage) => Promise<Found>

function identifier(verifyToken: RequireRoleOptions['verifyToken'], userOf: RequireRoleOptions['userOf']): Identify {
  if (verifyToken !== undefined && userOf === undefined) return (req) => byToken(req, verifyToken)
  if (userOf === undefined || verifyToken !== undefined) {
    throw new InvalidOptionError('verifyToken', 'requireRole takes verifyToken (bearer tokens) or userOf (sessions)')
  }
  return async (req) => {
    const user = await userOf(req)
    return typeof user === 'object' && user !== null
      ? { user }
      : { refusal: { status: 401, code: 'Unauthorized', description: 'Nobody is signed in' } }
  }
}

async function byToken(
  req: IncomingMessage,
  verifyToken: NonNullable<RequireRoleOptions['verifyToken']>,
): Promise<Found> {
  const token = /^Bearer +([A-Za-z0-9_.-]+)$/i.exec(req.headers.authorization ?? '')?.[1]
  if (token === undefined) {
    const description = "JWT token not found in headers under 'Authorization'"
    return { refusal: { status: 401, code: 'MissingTokenHeader', description } }
  }
  const verified = await verifyToken(token)
  return verified.ok ? { user: verified.user } : { refusal: verified }
}

function refusalFor(user: object, anyOf: readonly string[] | undefined): RoleRefusal | undefined {
  // An application's own user may be of any form: what isn't a list of roles is none.
  const roles: unknown = Object.hasOwn(user, 'roles') ? Reflect.get(user, 'roles') : undefined
  if (anyOf === undefined || (Array.isArray(roles) && anyOf.some((role) => roles.includes(role)))) return undefined
  const names = anyOf.map((role) => `'${role}'`).join(', ')
  return {
    status: 403,
    code: 'MissingRoleError',
    description: `This endpoint requires one of the following roles: [${names}]`,
  }
}

function refuse({ status, code, description }: RoleRefusal, _req: IncomingMessage, res: ServerResponse): void {
  res.statusCode = status
  res.setHeader('Content-Type', 'application/json')
  res.setHeader('Cache-Control', 'no-store')
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer')
  res.end(`${JSON.stringify({ code, description })}\n`)
}
