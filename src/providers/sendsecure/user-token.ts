import { z } from 'zod'
import { InvalidInputError, ProviderProtocolError } from '../../errors.js'
import { parseOptions } from '../../options.js'
import { rejected } from './complaint.js'
import { Connection, textOf } from './connection.js'
import { checkEndpoint, connectionShape, type ConnectionOptions } from './options.js'
import { parsedJson, withSecrets } from './reading.js'

export interface UserTokenOptions extends ConnectionOptions {
  readonly username: string
  readonly password: string
  /** A unique id of this device; asking again with the same values returns the same token. */
  readonly deviceId: string
  readonly deviceName: string
  /** Default `passport-outofband`. */
  readonly applicationType?: string | undefined
  /** Needed when the user has a second factor; without it the refusal has the code 106. */
  readonly oneTimePassword?: string | undefined
}

export interface UserToken {
  /** For {@link SendSecureClient}. A secret: `JSON.stringify` and `inspect()` don't show it. */
  readonly token: string
  readonly userId: number
}

const text = z.string({ error: 'give a text' }).min(1, { error: 'must not be empty' })
const schema = z.strictObject({
  ...connectionShape,
  username: text,
  password: text,
  deviceId: text,
  deviceName: text,
  applicationType: text.optional(),
  oneTimePassword: z.string().optional(),
})

const answer = z.object({ result: z.literal(true), token: z.string().min(1), user_id: z.int() })

/**
 * Signs a user in and gets a token for the API.
 *
 * @param call - `signal` abandons the call.
 * @throws {@link SendSecureRejectedError} with `providerCode` 102 for wrong credentials, 106 when a one-time password is
 * needed, 404 when the enterprise is unknown; see `userTokenCodes`.
 *
 * @example
 * const { token, userId } = await getUserToken({ enterpriseAccount: 'acme', username, password, deviceId, deviceName })
 */
export async function getUserToken(
  options: UserTokenOptions,
  call: { readonly signal?: AbortSignal | undefined } = {},
): Promise<UserToken> {
  const parsed = parseOptions(schema, options, 'getUserToken')
  checkEndpoint(parsed.endpoint, 'getUserToken')
  const { username, password, deviceId, deviceName, applicationType, oneTimePassword, ...connectionOptions } = parsed
  const connection = new Connection(connectionOptions, 'getUserToken')
  try {
    const host = await connection.lookUp('portal/host', call.signal)
    const body = {
      permalink: parsed.enterpriseAccount,
      username,
      password,
      application_type: applicationType ?? 'passport-outofband',
      device_id: deviceId,
      device_name: deviceName,
      ...(oneTimePassword && { otp: oneTimePassword }),
    }
    const secrets = [password, ...(oneTimePassword ? [oneTimePassword] : [])]
    const response = await connection.postToPortal(host, body, secrets, call.signal)
    return readToken(response, secrets)
  } finally {
    connection.close()
  }
}

// The body decides: failures come with 200, 400 and 401.
function readToken(response: Parameters<typeof textOf>[0] & { status: number }, secrets: readonly string[]): UserToken {
  const body = textOf(response)
  const result = answer.safeParse(parsedJson(body))
  if (result.success && response.status < 400)
    return withSecrets({ userId: result.data.user_id }, { token: result.data.token })
  const refusal = { method: 'POST', path: '/api/user_token', status: response.status, body, secrets }
  if (response.status >= 400 || saysNo(parsedJson(body))) throw rejected(refusal)
  throw new ProviderProtocolError('sendsecure', 'the answer has no token', { status: response.status })
}

function saysNo(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'result' in value && value.result !== true
}

/** @internal */
export function requireUserId(userId: number | string | undefined): string {
  if (userId === undefined)
    throw new InvalidInputError('userId', 'user settings and favorites need the userId that getUserToken returned')
  return String(userId)
}
