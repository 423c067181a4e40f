import { z } from 'zod'
import type { ApprovalChannel, ChannelStatus } from '../../approval/channel.js'
import { PassByMeServiceError, ProviderProtocolError, ProviderRejectedError } from '../../errors.js'
import { objectWith, parseOptions, runtimeOption } from '../../options.js'
import { resolveRuntime, type Runtime } from '../../runtime.js'
import type { PassByMeClient } from './client.js'
import type { PassByMeManagementClient } from './management.js'
import type { SessionInfo } from './session-info.js'
import { LIMITS, passByMeVerdict, type PassByMeVerdict } from './wire.js'

/** Options of {@link passByMeChannel}. */
export interface PassByMeChannelOptions {
  /** Default `passbyme`. */
  readonly name?: string
  /** What the phone shows as the message's subject: the application's name. At most 254 characters. Default `Approval`. */
  readonly subject?: string
  /** Tells which ids are one person's aliases, so that nobody counts twice. Without it only the ids themselves are compared. */
  readonly management?: PassByMeManagementClient
  /** Where the service may send its unsigned hint that something changed. Give the handler `approvals.nudge`. */
  readonly callbackUrl?: string
  readonly runtime?: Partial<Runtime>
}

const channelOptions = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'lower-case letters, digits and hyphens')
    .default('passbyme'),
  subject: z.string().min(1).max(LIMITS.subject).default('Approval'),
  management: objectWith<PassByMeManagementClient>(['close'], 'give a PassByMeManagementClient').optional(),
  callbackUrl: z.string().optional(),
  runtime: runtimeOption,
})

const outcomes: Readonly<Record<PassByMeVerdict, ChannelStatus>> = {
  pending: 'pending',
  approved: 'approved',
  // Read is not agreed to.
  seen: 'pending',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
  undeliverable: 'failed',
  error: 'failed',
}

/** @internal What a recipient's status means for an approval. */
export function approvalStatus(status: string): ChannelStatus {
  return outcomes[passByMeVerdict(status, 'authorization')]
}

/**
 * Approvals over PassBy[ME]. The kind of proof is `compare`: the service gives a short code (`secureId`), which the phone shows as well;
 * the browser shows it as the approval's `code`. One message may ask up to 20 people.
 */
export function passByMeChannel(
  client: PassByMeClient,
  options: PassByMeChannelOptions = {},
): ApprovalChannel & Required<Pick<ApprovalChannel, 'cancel' | 'isFinal'>> {
  parseOptions(
    objectWith<PassByMeClient>(['sendMessage', 'trackMessage', 'cancelMessage'], 'give a PassByMeClient'),
    client,
    'passByMeChannel',
  )
  const { name, subject, management, callbackUrl, runtime } = parseOptions(channelOptions, options, 'passByMeChannel')
  const { now } = resolveRuntime(runtime)

  return {
    name,
    factor: 'passbyme',
    amr: ['mca'],
    proof: 'compare',
    maxRecipients: 20,
    pollIntervalMs: 1500,
    maxTtlSeconds: 600,

    async start(request, call) {
      const info = await client.sendMessage(
        {
          recipients: request.recipients.map(({ reference }) => reference),
          subject,
          body: bodyText(request.message, request.details),
          availability: Math.max(1, Math.floor((request.expiresAt - now()) / 1000)),
          type: 'authorization',
          callbackUrl,
        },
        call,
      )
      if (!isAbout(info, request.recipients)) {
        // It reached a phone, and nobody's answer could be told from another's.
        await info.cancel(call).catch(() => undefined)
        throw otherRecipients()
      }
      // The service's date is not taken over: one that lies far off, either way, would end the question too early or never.
      return { reference: info.messageId, ...(info.secureId === undefined ? {} : { code: info.secureId }) }
    },

    async check(handle, call) {
      const info = await client.trackMessage(handle.reference, call)
      if (!isAbout(info, handle.recipients)) throw otherRecipients()
      return {
        decisions: info.recipients.map(({ userId, status }) => ({ reference: userId, status: approvalStatus(status) })),
      }
    },

    isFinal,

    async cancel(handle, call) {
      try {
        await client.cancelMessage(handle.reference, call)
      } catch (error) {
        const isOver = error instanceof PassByMeServiceError && gone.has(error.providerCode)
        if (!isOver) throw error
      }
    },

    ...(management && {
      identify: async (reference, call) => (await management.aliases.find(reference, call)).oid,
    }),
  }
}

/** PassBy[ME] API reference, what a client must do: stop at any 420, 401, 403 and contradiction; only lost calls and 5xx are repeated. */
function isFinal(error: unknown): boolean {
  if (error instanceof PassByMeServiceError) return error.providerCode !== 'SERVICE_UNAVAILABLE'
  if (error instanceof ProviderRejectedError) return error.status === 401 || error.status === 403
  return error instanceof ProviderProtocolError
}

function isAbout(info: SessionInfo, recipients: readonly { readonly reference: string }[]): boolean {
  const asked = new Set(recipients.map(({ reference }) => reference))
  return info.recipients.length === asked.size && info.recipients.every(({ userId }) => asked.has(userId))
}

function otherRecipients(): ProviderProtocolError {
  return new ProviderProtocolError('passbyme', 'the answer names other recipients than were asked')
}

const gone: ReadonlySet<string> = new Set(['ALREADY_COMPLETED', 'NOT_FOUND', 'INVALID_SESSION_ID', 'TIMEOUT'])

function bodyText(message: string, details: Readonly<Record<string, string>>): string {
  const lines = [message, ...Object.entries(details).map(([label, value]) => `${label}: ${value}`)]
  // Only details are ever cut: the message is 200 characters at most.
  return Array.from(lines.join('\n')).slice(0, LIMITS.body).join('')
}
