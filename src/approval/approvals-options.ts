import { z } from 'zod'
import { InvalidOptionError } from '../errors.js'
import { loggerOption, objectWith, runtimeOption } from '../options.js'
import type { Logger, Runtime } from '../runtime.js'
import type { ApprovalChannel } from './channel.js'
import type { ApprovalPolicy } from './heart.js'
import type { StateStore } from './state-store.js'

/** Options of {@link createApprovals}. */
export interface ApprovalsOptions {
  /** Where approvals live. What it loses is lost; what it keeps survives a restart. */
  readonly state: StateStore
  /** The channels over which people can be asked, each with a name of its own. */
  readonly channels: readonly ApprovalChannel[]
  readonly policy?: {
    /** Seconds that a question stays open: 30 to 600, default 120. */
    readonly ttlSeconds?: number
    /** The weakest kind of proof that is accepted. Default `approve`: any. */
    readonly proof?: ApprovalPolicy['proof']
    /** Pushes to one recipient between two approvals. Default 3 in 10 minutes and 10 in a day. */
    readonly budget?: ApprovalPolicy['budget']
    /** The pause after a denial, doubling with each in a row. Default 30 seconds, an hour at most. */
    readonly denialPause?: ApprovalPolicy['denialPause']
  }
  readonly runtime?: Partial<Runtime>
  readonly logger?: Logger
}

const defaultBudget = [
  { max: 3, windowSeconds: 600 },
  { max: 10, windowSeconds: 86_400 },
]
const seconds = z
  .int()
  .min(1)
  .max(30 * 86_400)
/** Checks {@link ApprovalsOptions}. */
export const approvalsOptions = z.strictObject({
  state: objectWith<StateStore>(
    ['get', 'putIfAbsent', 'update', 'claim'],
    'give a StateStore, such as new MemoryStateStore()',
  ),
  channels: z
    .array(objectWith<ApprovalChannel>(['start', 'check'], 'give channels, such as oneTouchChannel(client)'))
    .min(1),
  policy: z
    .strictObject({
      ttlSeconds: z.int().min(30).max(600).default(120),
      proof: z.enum(['transfer', 'compare', 'approve']).default('approve'),
      budget: z
        .array(z.strictObject({ max: z.int().min(1), windowSeconds: seconds }))
        .min(1)
        .default(defaultBudget),
      denialPause: z
        .strictObject({ firstSeconds: seconds, maxSeconds: seconds })
        .default({ firstSeconds: 30, maxSeconds: 3600 }),
    })
    .prefault({}),
  runtime: runtimeOption,
  logger: loggerOption,
})

/** @throws InvalidOptionError for a name that isn't one, or is there twice. */
export function byName(channels: readonly ApprovalChannel[]): ReadonlyMap<string, ApprovalChannel> {
  const map = new Map<string, ApprovalChannel>()
  for (const channel of channels) {
    if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(channel.name)) {
      throw new InvalidOptionError(
        'channels',
        `createApprovals: a channel's name must be lower-case letters, digits and hyphens`,
      )
    }
    if (map.has(channel.name))
      throw new InvalidOptionError('channels', `createApprovals: two channels are named '${channel.name}'`)
    map.set(channel.name, channel)
  }
  return map
}
