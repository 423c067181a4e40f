import { z } from 'zod'

export const settingsChange = z.strictObject({
  default_security_profile_id: z.int().nullable().optional(),
  pdf_language: z.string().optional(),
  use_pdfa_audit_records: z.boolean().optional(),
  international_dialing_plan: z.string().optional(),
  extension_filter: z
    .strictObject({ mode: z.enum(['allow', 'forbid']), list: z.array(z.string()) })
    .nullable()
    .optional(),
  virus_scan_enabled: z.boolean().optional(),
  max_file_size_value: z.int().nullable().optional(),
  max_file_size_unit: z.string().nullable().optional(),
  include_users_in_autocomplete: z.boolean().optional(),
  include_favorites_in_autocomplete: z.boolean().optional(),
  users_public_url: z.boolean().optional(),
})

export const sendSecureSandboxOptions = z.strictObject({
  enterpriseAccount: z.string().min(1).optional(),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  userEmail: z.string().min(3).optional(),
  oneTimePassword: z.string().min(1).optional(),
  settings: settingsChange.optional(),
})

/** Changes of the enterprise's settings, by their names on the wire. */
export type SendSecureSettings = z.output<typeof settingsChange>

export interface SendSecureSandboxOptions {
  /** Default `northwind`. */
  readonly enterpriseAccount?: string | undefined
  /** Default `mira.olsen`. */
  readonly username?: string | undefined
  /** Default: a new one each time. */
  readonly password?: string | undefined
  /** Default `mira.olsen@northwind.example`. */
  readonly userEmail?: string | undefined
  /** Given: signing in needs it. */
  readonly oneTimePassword?: string | undefined
  readonly settings?: SendSecureSettings | undefined
}
