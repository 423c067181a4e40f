import { z } from 'zod'
import { knobOptions, type ActiveconnectKnobOptions } from '../../providers/activeconnect/signing-knobs.js'
import { isSandboxSecret, sandboxSecretPrefix } from '../../providers/activeconnect/wire-sandbox.js'

export const activeconnectSandboxOptions = z.strictObject({
  ...knobOptions,
  applicationId: z
    .string()
    .regex(/^[^\s:/]+$/)
    .optional(),
  applicationSecret: z.string().refine(isSandboxSecret, `begin it with '${sandboxSecretPrefix}'`).optional(),
  plusIsSpace: z.boolean().optional(),
})

/** Options of the Activeconnect stand-in; the knobs of the signature come on top of `dialect`. */
export interface ActiveconnectSandboxOptions extends ActiveconnectKnobOptions {
  /** Left out: a random one. */
  readonly applicationId?: string | undefined
  /** Must begin with `sandbox`. Left out: a random one. */
  readonly applicationSecret?: string | undefined
  /** Reads `+` in a path as a blank, for the vendor's Python client. Default false. */
  readonly plusIsSpace?: boolean | undefined
}

/** Ways in which the service may answer otherwise than usual. Change them at any time. */
export interface ActiveconnectQuirks {
  /** How the status comes. Default `nested`, as the vendor's code has it. */
  statusShape: 'nested' | 'flat' | 'both'
  /** How a timeout is spelt. Default `timeout`. */
  timeoutSpelling: 'timeout' | 'time_out'
  /** Answered instead of the status. Default: nothing. */
  statusWord: string | undefined
  /** Answered instead of the stand-in's own origin in status_url and logout_url. Default: nothing. */
  foreignOrigin: string | undefined
}
