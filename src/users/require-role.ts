import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { functionOption, parseOptions } from '../options.js'
import type { ServiceHandler } from './routing.js'
import type { TokenVerification } from './token-service.js'

export interface RequireRoleOptions {
  /** `service.tokens.verify` of a user service. */
  readonly verifyToken: (token: string) => Promise<TokenVerification>
  /** One of these is needed; left out, a good token is enough. */
  readonly anyOf?: readonly string[]
}

const optionsSchema = z.strictObject({
  verifyToken: functionOption<(token: string) => Promise<TokenVerification>>(),
  anyOf: z.array(z.string().min(1)).min(1).optional(),
})

/**
 * Lets a request through whose bearer token is good and whose user has one of the roles, as the store says at this
 * moment; the user stands in `req.user` afterwards. Others get the answers of the user service: 401, or 403
 * `MissingRoleError`.
 *
 * @example
 * app.use('/admin', requireRole({ verifyToken: service.tokens.verify, anyOf: ['admin'] }))
 */
export function requireRole(options: RequireRoleOptions): ServiceHandler {
  const { verifyToken, anyOf } = parseOptions(optionsSchema, options, 'requireRole')
  return (req, res, next) => {
    admit(req, verifyToken, anyOf).then(
      (refusal) => {
        if (refusal === undefined) next?.()
        else refuse(res, refusal)
      },
      (error: unknown) => next?.(error),
    )
  }
}

interface Refused {
  readonly status: number
  readonly code: string
  readonly description: string
}

async function admit(
  req: IncomingMessage,
  verifyToken: RequireRoleOptions['verifyToken'],
  anyOf: readonly string[] | undefined,
): Promise<Refused | undefined> {
  const token = /^Bearer +([A-Za-z0-9_.-]+)$/i.exec(req.headers.authorization ?? '')?.[1]
  if (token === undefined) {
    return {
      status: 401,
      code: 'MissingTokenHeader',
      description: "JWT token not found in headers under 'Authorization'",
    }
  }
  const verified = await verifyToken(token)
  if (!verified.ok) return verified
  if (anyOf !== undefined && !anyOf.some((role) => verified.user.roles.includes(role))) {
    const roles = anyOf.map((role) => `'${role}'`).join(', ')
    return {
      status: 403,
      code: 'MissingRoleError',
      description: `This endpoint requires one of the following roles: [${roles}]`,
    }
  }
  Reflect.set(req, 'user', verified.user)
  return undefined
}

function refuse(res: ServerResponse, { status, code, description }: Refused): void {
  res.statusCode = status
  res.setHeader('Content-Type', 'application/json')
  res.setHeader('Cache-Control', 'no-store')
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer')
  res.end(`${JSON.stringify({ code, description })}\n`)
}
