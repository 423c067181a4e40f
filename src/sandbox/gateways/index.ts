import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { MemoryStateStore } from '../../stores/memory.js'
import { credentialOption, type GatewayCredential } from '../../users/credentials.js'
import { emailGateway } from '../../users/email-gateway.js'
import { roundRobin } from '../../users/round-robin.js'
import { smsGateway } from '../../users/sms-gateway.js'
import type { RunningStandIn, StandInContext } from '../stand-in.js'
import { smsLine } from './lines.js'
import { deliverMail } from './mailbox.js'
import { errorReply, mount } from './mount.js'

export const gatewaysSandboxOptions = z.strictObject({
  credential: credentialOption.default(false),
})

/** Options of the SMS and e-mail gateway services. */
export interface GatewaysSandboxOptions {
  /** What callers must send as a bearer token, to try that too. Default `false`: nothing, as with the original. */
  readonly credential?: GatewayCredential | undefined
}

/** The SMS and e-mail gateway services, as tests see them. */
export interface GatewaysSandbox {
  /** The root of the SMS gateway, with a slash at its end: for `affoSmsSender`, or the original's `SMS_API_ROOT_URL`. */
  readonly smsUrl: string
  /** The root of the e-mail gateway, with a slash at its end: for `affoMailSender`, or the original's `EMAIL_API_ROOT_URL`. */
  readonly emailUrl: string
}

const basePath = '/api/v1.0'

/**
 * Starts both services, each on a port of its own; what they are given arrives on the phone. Texts go by two lines in
 * turn, named after the providers whose faults strike them.
 */
export async function startGateways(
  context: StandInContext,
  lines: readonly StandInContext[],
  { credential = false }: GatewaysSandboxOptions = {},
): Promise<RunningStandIn<GatewaysSandbox>> {
  const { logger, runtime, now } = context
  const state = new MemoryStateStore({ runtime: { now } })
  const gateways = lines.map((line) => smsLine(context, line))
  const sender = roundRobin({ gateways, state, runtime: { now } })
  const sms = smsGateway({ credential, logger, sender })
  const email = emailGateway({
    credential,
    logger,
    transport: { deliver: async (mail) => deliverMail(context, mail) },
    state,
    secret: randomBytes(32),
    runtime: { ...runtime, now },
  })
  const { url: smsOrigin } = await context.listen({ handler: mount(sms, basePath), errorReply })
  // The page behind the link in a mail is the one route that the original has outside of its base path.
  const pages = /^\/unsubscribe\/[^/]+\/?$/
  const { url: emailOrigin } = await context.listen({ handler: mount(email, basePath, pages), errorReply })
  const handle = { smsUrl: `${smsOrigin}${basePath}/`, emailUrl: `${emailOrigin}${basePath}/` }
  return { handle, describe: () => ({ ...handle }) }
}
