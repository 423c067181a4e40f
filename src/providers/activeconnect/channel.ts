import { createHash } from 'node:crypto'
import { z } from 'zod'
import type {
  ApprovalChannel,
  CallOptions,
  ChannelHandle,
  ChannelStatus,
  PresenceStatus,
} from '../../approval/channel.js'
import { ProviderProtocolError, ProviderRejectedError } from '../../errors.js'
import { objectWith, parseOptions } from '../../options.js'
import type { ActiveconnectClient } from './client.js'
import type { ActiveconnectSession } from './session.js'
import { ACTIVECONNECT_METHODS, type ActiveconnectMethod, type ActiveconnectStatus } from './wire.js'

/** Options of {@link activeconnectChannel}. */
export interface ActiveconnectChannelOptions {
  /** Default `activeconnect`. */
  readonly name?: string
  /** The proofs that the phone is asked for, all of them. Default: the service chooses, as the vendor advises. */
  readonly methods?: readonly ActiveconnectMethod[]
  /** How long a login's session may be kept for presence and sign-out, in seconds. Default 30 days. */
  readonly sessionTtlSeconds?: number
}

const channelOptions = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'lower-case letters, digits and hyphens')
    .default('activeconnect'),
  methods: z.array(z.enum(ACTIVECONNECT_METHODS)).optional(),
  sessionTtlSeconds: z
    .int()
    .min(60)
    .max(400 * 86_400)
    .default(30 * 86_400),
})

const PURPOSE = 'channel'

/**
 * What each status means for an approval. `walkaway` is not "authenticated now", and may come back: it goes on waiting.
 * `closed` after a start is somebody withdrawing it; what nobody documents has failed.
 */
const outcomes: Readonly<Record<ActiveconnectStatus, ChannelStatus>> = {
  pending: 'pending',
  identifying: 'pending',
  active: 'approved',
  walkaway: 'pending',
  timeout: 'expired',
  failed: 'failed',
  cancelled: 'denied',
  closed: 'cancelled',
  unknown: 'failed',
}

/** @internal */
export function approvalStatus(status: ActiveconnectStatus): ChannelStatus {
  return outcomes[status]
}

const presences: Readonly<Record<ActiveconnectStatus, PresenceStatus>> = {
  pending: 'away',
  identifying: 'away',
  active: 'present',
  walkaway: 'away',
  timeout: 'ended',
  failed: 'ended',
  cancelled: 'ended',
  closed: 'ended',
  unknown: 'ended',
}

/**
 * Approvals over Activeconnect. The kind of proof is a plain `approve`, and the provider's protocol carries no text: the
 * phone shows that the application asks, but never what for (`showsMessage: false`), so it is for logins and step-up, not for transactions.
 */
export function activeconnectChannel(
  client: ActiveconnectClient,
  options: ActiveconnectChannelOptions = {},
): ApprovalChannel & Required<Pick<ApprovalChannel, 'cancel' | 'isFinal' | 'release' | 'presence'>> {
  parseOptions(
    objectWith<ActiveconnectClient>(['authenticate', 'sealSession', 'unsealSession'], 'give an ActiveconnectClient'),
    client,
    'activeconnectChannel',
  )
  const { name, methods, sessionTtlSeconds } = parseOptions(channelOptions, options, 'activeconnectChannel')

  async function open(handle: ChannelHandle): Promise<ActiveconnectSession> {
    const sealed = handle.state?.['session']
    const userId = handle.recipients[0]?.reference
    if (typeof sealed !== 'string' || userId === undefined) {
      throw new ProviderProtocolError('activeconnect', 'the stored approval holds no sealed session')
    }
    return client.unsealSession(sealed, { userId, purpose: PURPOSE })
  }

  async function end(handle: ChannelHandle, call: CallOptions): Promise<void> {
    const session = await open(handle)
    const isDestroyed = await session.destroy(call).catch((error: unknown) => {
      // The service forgets ended sessions after a day.
      if (isGone(error)) return true
      throw error
    })
    if (!isDestroyed) throw new ProviderRejectedError('activeconnect', { status: 200, providerCode: 'NOT_LOGGED_OUT' })
  }

  return {
    name,
    factor: 'activeconnect',
    amr: ['mca'],
    proof: 'approve',
    showsMessage: false,
    // The service knows nothing of our time, and an answered question is a session that lives on.
    outlives: true,
    // It has forgotten the session, or never knew it.
    isFinal: isGone,
    maxRecipients: 1,
    pollIntervalMs: 2000,
    maxTtlSeconds: 90,

    async start(request, call) {
      const [recipient] = request.recipients
      if (!recipient || request.recipients.length !== 1) {
        throw new ProviderProtocolError('activeconnect', 'a question is put to one person at a time')
      }
      const session = await client.authenticate(recipient.reference, { ...(methods && { methods }), ...call })
      if (session.isEnded) {
        throw new ProviderRejectedError('activeconnect', { status: 200, providerCode: session.failureReason })
      }
      const scope = { userId: recipient.reference, purpose: PURPOSE, ttlSeconds: sessionTtlSeconds }
      const sealed = await client.sealSession(session, scope)
      return { reference: createHash('sha256').update(sealed).digest('base64url'), state: { session: sealed } }
    },

    async check(handle, call) {
      const session = await open(handle)
      const status = await session.status(call)
      return { decisions: [{ reference: session.userId, status: approvalStatus(status) }] }
    },

    cancel: end,
    release: end,

    async presence(handle, call) {
      const session = await open(handle)
      try {
        return presences[await session.status(call)]
      } catch (error) {
        if (isGone(error)) return 'ended'
        throw error
      }
    },
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ProviderRejectedError && error.status === 404
}
