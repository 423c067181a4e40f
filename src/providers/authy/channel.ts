import { z } from 'zod'
import type {
  ApprovalChannel,
  CallOptions,
  ChannelAnswer,
  ChannelHandle,
  ChannelRequest,
  ChannelStarted,
} from '../../approval/channel.js'
import { InvalidInputError, ProviderProtocolError } from '../../errors.js'
import { objectWith, parseOptions, runtimeOption } from '../../options.js'
import { resolveRuntime, type Runtime } from '../../runtime.js'
import type { AuthyClient } from './client.js'
import { logosInput, type AuthyOneTouch, type Logo } from './one-touch.js'

/** Settings of {@link oneTouchChannel}. */
export interface OneTouchChannelOptions {
  /** Name of the channel. Default `authy`. */
  readonly name?: string | undefined
  /** Shown beside every question. */
  readonly logos?: readonly Logo[] | undefined
  /** Milliseconds between two checks. Default 2000. */
  readonly pollIntervalMs?: number | undefined
  /** Longest life of a question, in seconds. Default 600; a day at most. */
  readonly maxTtlSeconds?: number | undefined
  /** The clock that expiry is counted on. */
  readonly runtime?: Partial<Runtime> | undefined
}

const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,63}$/, { error: 'give lower-case letters, digits and hyphens' })
    .optional(),
  logos: logosInput.optional(),
  pollIntervalMs: z.int().min(500).max(60_000).optional(),
  maxTtlSeconds: z.int().min(1).max(86_400).optional(),
  runtime: runtimeOption,
})

/**
 * Approvals over Authy OneTouch: a push to the person's Authy app, answered with approve or deny. A recipient's `reference` is the
 * Authy id. A question can't be withdrawn: a cancelled approval stays on the phone until it expires, and approving it then does nothing.
 *
 * Plain approval (`proof: 'approve'`): NIST SP 800-63B-4 does not accept it as an out-of-band factor.
 *
 * @throws {@link InvalidOptionError}
 */
export function oneTouchChannel(
  client: Pick<AuthyClient, 'oneTouch'>,
  options: OneTouchChannelOptions = {},
): ApprovalChannel {
  const { oneTouch } = parseOptions(clientSchema, client, 'oneTouchChannel')
  const given = parseOptions(schema, options, 'oneTouchChannel')
  const { now } = resolveRuntime(given.runtime)
  return {
    name: given.name ?? 'authy',
    factor: 'push',
    amr: ['mca'],
    proof: 'approve',
    maxRecipients: 1,
    pollIntervalMs: given.pollIntervalMs ?? 2000,
    maxTtlSeconds: given.maxTtlSeconds ?? 600,
    start: (request, call) => start(oneTouch, { logos: given.logos, now }, request, call),
    check: (handle, call) => check(oneTouch, handle, call),
  }
}

const clientSchema = z.looseObject({
  oneTouch: objectWith<AuthyOneTouch>(['createApprovalRequest', 'getApprovalRequest'], 'give an AuthyClient'),
})

async function start(
  oneTouch: AuthyOneTouch,
  { logos, now }: { readonly logos: readonly Logo[] | undefined; readonly now: () => number },
  request: ChannelRequest,
  call: CallOptions,
): Promise<ChannelStarted> {
  const secondsLeft = Math.ceil((request.expiresAt - now()) / 1000)
  // 0 would be a question that never expires.
  if (!(secondsLeft >= 1)) throw new InvalidInputError('expiresAt', 'the question would be over before it is asked')
  const { uuid } = await oneTouch.createApprovalRequest(
    onlyRecipient(request).reference,
    {
      message: request.message,
      ...(Object.keys(request.details).length > 0 && { details: request.details }),
      // Comes back in the callback, under the service's signature: it ties the answer to our approval.
      hiddenDetails: { approval_id: request.approvalId },
      logos,
      expiresInSeconds: secondsLeft,
    },
    call,
  )
  return { reference: uuid }
}

async function check(oneTouch: AuthyOneTouch, handle: ChannelHandle, call: CallOptions): Promise<ChannelAnswer> {
  const { reference } = onlyRecipient(handle)
  const answer = await oneTouch.getApprovalRequest(handle.reference, call)
  // The question may have been answered, but by somebody else: then it is nobody's answer.
  if (answer.authyId !== reference) throw new ProviderProtocolError('authy', 'the answer is about another user')
  const decided = answer.status === 'approved' || answer.status === 'denied'
  const decidedAt = decided ? answer.processedAt?.getTime() : undefined
  return { decisions: [{ reference, status: answer.status, ...(decidedAt !== undefined && { decidedAt }) }] }
}

function onlyRecipient<T>({ recipients }: { readonly recipients: readonly T[] }): T {
  const [recipient] = recipients
  if (recipient === undefined || recipients.length > 1)
    throw new InvalidInputError('recipients', 'OneTouch puts a question to exactly one person')
  return recipient
}
