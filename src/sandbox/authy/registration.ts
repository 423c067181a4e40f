import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { SandboxError } from '../../errors.js'
import { seconds } from './ids.js'
import type { AuthyState } from './state.js'

export interface RegistrationToken {
  readonly customUserId: string
}

const tokenHeader = z.object({ alg: z.literal('HS256') })
const tokenClaims = z.object({
  exp: z.number(),
  context: z.object({ custom_user_id: z.string().min(1), authy_app_id: z.union([z.string(), z.number()]) }),
})

/**
 * Reads the QR text `authy://account?token=<JWT>` that an application made with its API key.
 *
 * @throws {@link SandboxError} `invalid`, with the service's own code in the message.
 */
export function readRegistration(state: AuthyState, link: string): RegistrationToken {
  const parts = (new URL(link).searchParams.get('token') ?? '').split('.')
  const [head = '', body = '', signature = ''] = parts
  const mac = createHmac('sha256', state.settings.apiKey).update(`${head}.${body}`).digest()
  const given = Buffer.from(signature, 'base64url')
  const claims = tokenClaims.safeParse(part(body))
  const sound = parts.length === 3 && tokenHeader.safeParse(part(head)).success && claims.success
  if (!sound || given.length !== mac.length || !timingSafeEqual(given, mac)) {
    throw new SandboxError('invalid', 'the registration token is invalid (60101): check its signature and its claims')
  }
  const { exp, context } = claims.data
  if (exp <= seconds(state.now())) throw new SandboxError('invalid', 'the registration token has expired (60086)')
  if (![String(state.settings.appId), state.appHexId].includes(String(context.authy_app_id))) {
    throw new SandboxError(
      'invalid',
      `the registration token is invalid (60101): the application is ${state.settings.appId}`,
    )
  }
  return { customUserId: context.custom_user_id }
}

function part(encoded: string): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
