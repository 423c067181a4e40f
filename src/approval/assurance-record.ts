import { z } from 'zod'
import type { ReleaseHandle } from './approvals-types.js'
import { policySchema, type Factor, type FactorPolicy } from './factors.js'
import type { JsonObject, JsonValue } from './json.js'

/** An assurance as the store holds it. */
export interface AssuranceRecord {
  readonly subject: string
  readonly factors: readonly StoredFactor[]
  readonly createdAt: number
  /** The login ends then, whatever happens. */
  readonly endsAt: number
  /** It ends then unless it is used before. */
  readonly idleEndsAt: number
  /** The subject's epoch when the login began. */
  readonly epoch: string
  /** Present until the policy of a two-phase login is met: until then the user is not logged in. */
  readonly awaiting: FactorPolicy | undefined
  readonly release: readonly ReleaseHandle[]
}

/** A factor, and the epoch of that factor when it was proved. */
export interface StoredFactor extends Factor {
  readonly epoch: string
}

/** What was revoked of a subject. A random value each; a login holds the values that it began with. */
export interface EpochRecord {
  readonly all: string
  readonly factors: Readonly<Record<string, string>>
}

/** Nothing was revoked yet. */
export const firstEpoch: EpochRecord = Object.freeze({ all: '', factors: Object.freeze({}) })

const json: z.ZodType<JsonObject> = z.record(z.string(), z.json())

const storedFactor = z
  .object({
    factor: z.string(),
    amr: z.array(z.string()),
    at: z.number(),
    proof: z.enum(['transfer', 'compare', 'approve']).optional(),
    epoch: z.string(),
  })
  .transform(({ proof, ...factor }): StoredFactor => ({ ...factor, ...(proof === undefined ? {} : { proof }) }))

const releaseHandle = z
  .object({
    channel: z.string(),
    reference: z.string(),
    recipients: z.array(z.object({ subject: z.string(), reference: z.string() })),
    state: json.optional(),
  })
  .transform(({ state, ...handle }): ReleaseHandle => ({ ...handle, ...(state === undefined ? {} : { state }) }))

const assuranceRecord = z.object({
  subject: z.string(),
  factors: z.array(storedFactor),
  createdAt: z.number(),
  endsAt: z.number(),
  idleEndsAt: z.number(),
  epoch: z.string(),
  awaiting: policySchema.optional(),
  release: z.array(releaseHandle),
})

const epochRecord = z.object({ all: z.string(), factors: z.record(z.string(), z.string()) })

/** Reads a record; one of another form (written by another version, or by somebody else) is as good as none. */
export function readAssurance(value: JsonValue | undefined): AssuranceRecord | undefined {
  const result = assuranceRecord.safeParse(value)
  return result.success ? { ...result.data, awaiting: result.data.awaiting } : undefined
}

/** Reads the epochs. A record that can't be read revokes everything: its random values fit no login. */
export function readEpochs(value: JsonValue | undefined, unreadable: () => string): EpochRecord {
  if (value === undefined) return firstEpoch
  const result = epochRecord.safeParse(value)
  return result.success ? result.data : { all: unreadable(), factors: {} }
}

/** The form of a record that the store takes. */
export function writeAssurance(record: AssuranceRecord): JsonObject {
  return {
    subject: record.subject,
    factors: record.factors.map((factor) => ({
      factor: factor.factor,
      amr: factor.amr,
      at: factor.at,
      epoch: factor.epoch,
      ...(factor.proof === undefined ? {} : { proof: factor.proof }),
    })),
    createdAt: record.createdAt,
    endsAt: record.endsAt,
    idleEndsAt: record.idleEndsAt,
    epoch: record.epoch,
    ...(record.awaiting === undefined ? {} : { awaiting: writePolicy(record.awaiting) }),
    release: record.release.map(({ channel, reference, recipients, state }) => ({
      channel,
      reference,
      recipients: recipients.map((recipient) => ({ subject: recipient.subject, reference: recipient.reference })),
      ...(state === undefined ? {} : { state }),
    })),
  }
}

function writePolicy(policy: FactorPolicy): JsonObject {
  const entries: readonly (readonly [string, JsonValue | undefined])[] = [
    ['anyOf', policy.anyOf],
    ['allOf', policy.allOf],
    ['maxAgeSeconds', policy.maxAgeSeconds],
    ['proof', policy.proof],
    ['independent', policy.independent],
  ]
  return Object.fromEntries(entries.filter((entry): entry is [string, JsonValue] => entry[1] !== undefined))
}
