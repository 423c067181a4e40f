import { z } from 'zod'
import type { ProofKind } from './channel.js'

/** One way in which a user proved themselves. */
export interface Factor {
  /** `password`, `totp`, `sms`, `call`, `push`, `passbyme`, `activeconnect`, or a name of the application's own. */
  readonly factor: string
  /** RFC 8176 values. */
  readonly amr: readonly string[]
  /** The time of the proof (for an approval: of the decision). Milliseconds since the epoch. */
  readonly at: number
  /** What kind of proof it was. Absent for what a person knows. */
  readonly proof?: ProofKind
}

/** A factor to be recorded. What is left out is filled in by the factor's name and the clock. */
export interface FactorInput {
  readonly factor: string
  /** Default: `pwd`, `otp`, `sms`, `tel`, or `mca` for the push kinds; nothing for names that we don't know. */
  readonly amr?: readonly string[] | undefined
  /** Default: now. A time in the future counts as now. */
  readonly at?: number | undefined
  readonly proof?: ProofKind | undefined
}

/** What a route, or a login, demands. All that is given must hold. */
export interface FactorPolicy {
  /** One of these factors. */
  readonly anyOf?: readonly string[] | undefined
  /** Each of these factors. */
  readonly allOf?: readonly string[] | undefined
  /** A factor counts for so long after its proof, in seconds. Concerns `anyOf` and `allOf`; without them, the factors that `independent` counts. Default: as long as the login. */
  readonly maxAgeSeconds?: number | undefined
  /** The weakest kind of proof that counts: `transfer`, `compare`, `approve`. Concerns every factor but `password`, which carries none. */
  readonly proof?: ProofKind | undefined
  /**
   * How many factors must be there that don't come over one channel: a text message and a call reach the same telephone,
   * and are one. Default 1; a two-phase login asks for 2.
   */
  readonly independent?: number | undefined
}

/** Whether a policy is met, and if not, why. */
export type PolicyResult =
  { readonly met: true } | { readonly met: false; readonly reason: 'missing' | 'too-old' | 'too-weak' | 'same-channel' }

/** Reads the name of a factor. */
export const factorName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._:-]{0,63}$/, 'give a factor name: lower-case letters, digits and . _ : - (at most 64)')

const names = z.array(factorName).min(1, 'give at least one factor').max(32)

/** The options object of a policy, for other options objects to build on. */
export const policyShape = {
  anyOf: names.optional(),
  allOf: names.optional(),
  maxAgeSeconds: z
    .number()
    .int()
    .min(0)
    .max(400 * 86_400)
    .optional(),
  proof: z.enum(['transfer', 'compare', 'approve']).optional(),
  independent: z.number().int().min(1).max(8).optional(),
}

/** Reads a policy from options or from a store. A policy that demands nothing is refused: it would let everybody in. */
export const policySchema = z
  .strictObject(policyShape)
  .refine(demandsSomething, 'a policy needs anyOf, allOf or independent')

/** True if the policy names anything that must be there. */
export function demandsSomething(policy: FactorPolicy): boolean {
  return policy.anyOf !== undefined || policy.allOf !== undefined || policy.independent !== undefined
}

const knownAmr: ReadonlyMap<string, readonly string[]> = new Map([
  ['password', ['pwd']],
  ['totp', ['otp']],
  ['sms', ['sms']],
  ['call', ['tel']],
  ['push', ['mca']],
  ['passbyme', ['mca']],
  ['activeconnect', ['mca']],
])

// What carries the proof. Two proofs over one of these are one factor (NIST SP 800-63B-4: different authenticators).
const knownChannel: ReadonlyMap<string, string> = new Map([
  ['sms', 'telephone'],
  ['call', 'telephone'],
  ['totp', 'authenticator app'],
  ['push', 'authenticator app'],
  ['email', 'mailbox'],
  ['magic-link', 'mailbox'],
])

const knownProof: ReadonlyMap<string, ProofKind> = new Map([
  ['totp', 'transfer'],
  ['sms', 'transfer'],
  ['call', 'transfer'],
])

const strength: Readonly<Record<ProofKind, number>> = { approve: 1, compare: 2, transfer: 3 }

/** Fills in what a {@link FactorInput} leaves out. */
export function toFactor(input: FactorInput, now: number): Factor {
  const proof = input.proof ?? knownProof.get(input.factor)
  const at = input.at ?? now
  return {
    factor: factorName.parse(input.factor),
    amr: input.amr ?? knownAmr.get(input.factor) ?? [],
    // A provider's clock that runs ahead must not make a factor that never grows old; NaN is as old as can be.
    at: at <= now ? at : Number.isNaN(at) ? 0 : now,
    ...(proof === undefined ? {} : { proof }),
  }
}

/**
 * The `amr` values of a login (RFC 8176), for tokens and logs: those of its factors, and `mfa` when they came over two channels or more.
 */
export function amrOf(factors: readonly Factor[]): readonly string[] {
  const values = new Set(factors.flatMap((factor) => factor.amr))
  if (independentChannels(factors) > 1) values.add('mfa')
  return [...values]
}

/** How many channels the factors came over. */
export function independentChannels(factors: readonly Factor[]): number {
  return new Set(factors.map(({ factor }) => knownChannel.get(factor) ?? factor)).size
}

/** Decides whether factors meet a policy. Pure: the same input gives the same answer. */
export function evaluatePolicy(policy: FactorPolicy, factors: readonly Factor[], now: number): PolicyResult {
  const judge = (name: string): Verdict => best(factors.filter(({ factor }) => factor === name).map((f) => verdict(f)))
  const verdict = (factor: Factor): Verdict => {
    if (policy.proof !== undefined && !isStrongEnough(factor, policy.proof)) return 'too-weak'
    // Negated on purpose: a time that is not a number is too old.
    if (policy.maxAgeSeconds !== undefined && !(now - factor.at <= policy.maxAgeSeconds * 1000)) return 'too-old'
    return 'good'
  }
  if (!demandsSomething(policy)) return { met: false, reason: 'missing' }
  const any = policy.anyOf === undefined ? 'good' : best(policy.anyOf.map(judge))
  if (any !== 'good') return { met: false, reason: any }
  for (const name of policy.allOf ?? []) {
    const one = judge(name)
    if (one !== 'good') return { met: false, reason: one }
  }
  // Age and kind of proof hold for the factors that are named. Where none is, they must hold for those that are counted.
  const isNamed = policy.anyOf !== undefined || policy.allOf !== undefined
  const counted = isNamed ? factors : factors.filter((factor) => verdict(factor) === 'good')
  if (independentChannels(counted) < (policy.independent ?? 1)) {
    if (counted.length < factors.length) {
      return { met: false, reason: factors.some((factor) => verdict(factor) === 'too-old') ? 'too-old' : 'too-weak' }
    }
    return { met: false, reason: factors.length < (policy.independent ?? 1) ? 'missing' : 'same-channel' }
  }
  return { met: true }
}

type Verdict = 'good' | 'too-old' | 'too-weak' | 'missing'

function best(verdicts: readonly Verdict[]): Verdict {
  return (['good', 'too-old', 'too-weak'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'missing'
}

function isStrongEnough(factor: Factor, wanted: ProofKind): boolean {
  if (factor.factor === 'password') return true
  return factor.proof !== undefined && strength[factor.proof] >= strength[wanted]
}
