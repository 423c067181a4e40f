import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { isSandboxApiKey, sandboxApiKeyPrefix } from '../../providers/authy/wire-sandbox.js'
import type { RunningStandIn, StandInContext } from '../stand-in.js'
import { errorReply, refuse } from './replies.js'

export const authySandboxOptions = z.strictObject({
  apiKey: z.string().refine(isSandboxApiKey, `begin it with '${sandboxApiKeyPrefix}'`).optional(),
})

export interface AuthySandboxOptions {
  /** Must begin with `sandbox`. Left out: a random one. */
  readonly apiKey?: string | undefined
}

/** The Authy stand-in, as tests see it. */
export interface AuthySandbox {
  /** What the official clients take as their base. */
  readonly url: string
  readonly apiKey: string
}

export async function startAuthy(
  context: StandInContext,
  options: AuthySandboxOptions = {},
): Promise<RunningStandIn<AuthySandbox>> {
  const apiKey = options.apiKey ?? sandboxApiKeyPrefix + randomBytes(13).toString('hex').slice(0, 25)
  const { url } = await context.listen({ errorReply, handler: () => refuse('60002') })
  return { handle: { url, apiKey }, describe: () => ({ url, apiKey }) }
}
