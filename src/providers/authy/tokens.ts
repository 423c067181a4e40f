import { z } from 'zod'
import type { Logger } from '../../runtime.js'
import { encodePath } from '../http.js'
import type { AuthyApi, Refusal } from './api.js'
import {
  flagInput,
  parseField,
  signalInput,
  text,
  tokenInput,
  userArguments,
  type AuthyId,
  type MethodOptions,
} from './input.js'
import { verifyReply } from './wire-tokens.js'
import { authyCodes } from './wire.js'

/** How a token is checked. */
export interface VerifyOptions extends MethodOptions {
  /**
   * Default true. False is dangerous: the service then calls **any** token valid for a user who has never used Authy. Each such call is written to the
   * logger as a warning.
   */
  readonly force?: boolean | undefined
  /** The action that the code was sent for, if it was sent for one. 1 to 255 characters. */
  readonly action?: string | undefined
}

/** The device that a token came from, as the service tells it. For information only. */
export type TokenDevice = NonNullable<z.output<typeof verifyReply>['device']>

/** The verdict on a token. */
export type TokenVerdict =
  | { readonly valid: true; readonly message: string | undefined; readonly device: TokenDevice | undefined }
  | {
      readonly valid: false
      /** `used`: it was a good token, once. */
      readonly reason: 'wrong' | 'used'
    }

const verifyInput = z.strictObject({
  force: flagInput.optional(),
  action: text(1, 255).optional(),
  signal: signalInput,
})

/** `client.tokens`: checking one-time tokens, from the app, by SMS, call or e-mail. */
export class AuthyTokens {
  readonly #api: AuthyApi
  readonly #logger: Logger

  /** @internal */
  constructor(api: AuthyApi, logger: Logger) {
    this.#api = api
    this.#logger = logger
  }

  /**
   * Checks a token. A wrong token is a result, an outage is an error: nobody gets in with either. A token is good once, so the call is never
   * repeated. The service's own limits are unknown: limit the tries per user yourself (the strategies do).
   *
   * @param token - text of 6 to 12 digits.
   * @throws {@link ProviderRejectedError} for everything else that the service refuses, such as an unknown user (60016) or API key (60001).
   */
  async verify(
    authyId: AuthyId,
    token: string,
    options: VerifyOptions = {},
    call: MethodOptions = {},
  ): Promise<TokenVerdict> {
    const operation = 'tokens.verify'
    const args = userArguments(operation, verifyInput, [authyId, options, call])
    const digits = parseField('token', tokenInput, token, operation)
    const { force = true, action } = args.given
    if (!force)
      this.#logger.warn(
        { operation, force },
        'without force Authy accepts any token of a user who has never used Authy',
      )
    return this.#api.call<TokenVerdict>(
      {
        operation,
        method: 'GET',
        path: encodePath`/protected/json/verify/${{ token: digits }}/${{ authyId: args.id }}`,
        label: '/protected/json/verify/{token}/{id}',
        query: { force: force ? true : undefined, action },
        reply: verifyReply.transform(({ message, device }) => ({ valid: true as const, message, device })),
        secrets: [digits],
        normal: wrongToken,
      },
      args.call,
    )
  }
}

// 401 is a bad token or a bad API key; only the code tells. Bodies of before 2016 have no code, and the first say it in a field.
function wrongToken({ status, body }: Refusal): TokenVerdict | undefined {
  if (status !== 401) return undefined
  const code = body.error_code ?? undefined
  if (code === authyCodes.tokenUsedBefore) return { valid: false, reason: 'used' }
  if (code === authyCodes.tokenInvalid || code === authyCodes.totpCodeInvalid) return { valid: false, reason: 'wrong' }
  const old = code === undefined && (body.token === 'is invalid' || body.errors?.['token'] !== undefined)
  return old ? { valid: false, reason: 'wrong' } : undefined
}
