import { z } from 'zod'
import { functionOption, parseOptions } from '../options.js'
import { asError, PassportBase, type PassportStrategy, type StrategyRequest } from './passport.js'

/** What a check of a token came to. `service.tokens.verify` of a user service gives this. */
export type BearerVerification<User> =
  | { readonly ok: true; readonly user: User }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly description: string }

export interface BearerStrategyOptions<User> {
  /** Checks a token: signature, times, session and user. */
  readonly verifyToken: (token: string) => Promise<BearerVerification<User>>
  /** Default `bearer`. */
  readonly name?: string | undefined
  /** Named in the challenge. Default `users`. */
  readonly realm?: string | undefined
}

const MAX_TOKEN_LENGTH = 8192

/**
 * Authenticates API requests by a bearer token (RFC 6750) of the user service. The token comes from the `Authorization`
 * header only: in a query string it would end up in logs. Use it with `session: false`.
 *
 * Outcomes: `success(user, verification)`; `fail(challenge, 401)` without a token or with a bad one, `fail(..., 403)` for
 * a session that is over or a user who was deactivated; `error(...)` when a store can't be reached: nobody gets in.
 *
 * @example
 * passport.use(new BearerStrategy({ verifyToken: service.tokens.verify }))
 * app.get('/me', passport.authenticate('bearer', { session: false }), (req, res) => res.json(req.user))
 */
export class BearerStrategy<User = unknown> extends PassportBase implements PassportStrategy {
  override name: string
  // `private`, not `#private`: Passport calls us on Object.create(strategy), where # fields do not exist.
  private readonly verifyToken: BearerStrategyOptions<User>['verifyToken']
  private readonly realm: string

  constructor(options: BearerStrategyOptions<User>) {
    super()
    const optionsSchema = z.strictObject({
      verifyToken: functionOption<BearerStrategyOptions<User>['verifyToken']>('give service.tokens.verify'),
      name: z.string().min(1).default('bearer'),
      realm: z
        .string()
        .regex(/^[A-Za-z0-9 ._-]{1,64}$/)
        .default('users'),
    })
    const { verifyToken, name, realm } = parseOptions(optionsSchema, options, 'BearerStrategy')
    this.name = name
    this.verifyToken = verifyToken
    this.realm = realm
  }

  override authenticate(req: StrategyRequest): void {
    // Passport drops the return value, so no promise may escape from here.
    this.decide(req).catch((cause: unknown) => this.error(asError(cause)))
  }

  private async decide(req: StrategyRequest): Promise<void> {
    const header: unknown = req.headers.authorization
    const match = /^Bearer +([A-Za-z0-9_.~+/-]+=*)$/i.exec(typeof header === 'string' ? header : '')
    const token = match?.[1] ?? ''
    if (token === '' || token.length > MAX_TOKEN_LENGTH) {
      this.fail(`Bearer realm="${this.realm}"`, 401)
      return
    }
    const verification = await this.verifyToken(token)
    if (verification.ok) this.success(verification.user, verification)
    else this.fail(`Bearer realm="${this.realm}", error="invalid_token"`, verification.status === 403 ? 403 : 401)
  }
}
