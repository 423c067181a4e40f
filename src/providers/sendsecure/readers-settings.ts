import { z } from 'zod'
import { listOf, maybe, time, wireObject } from './reading.js'
import type * as settings from './settings.js'

const text = maybe(z.string())
const flag = maybe(z.boolean())
const integer = maybe(z.int())
const date = maybe(time)
const dated = { created_at: date, updated_at: date }

const extensionFilter: z.ZodType<settings.ExtensionFilter> = wireObject({
  mode: z.string(),
  list: listOf(z.string()),
})

export const enterpriseSettings: z.ZodType<settings.EnterpriseSettings> = wireObject({
  ...dated,
  default_security_profile_id: integer,
  pdf_language: text,
  use_pdfa_audit_records: flag,
  international_dialing_plan: text,
  extension_filter: maybe(extensionFilter),
  virus_scan_enabled: flag,
  max_file_size_value: integer,
  max_file_size_unit: text,
  include_users_in_autocomplete: flag,
  include_favorites_in_autocomplete: flag,
  users_public_url: flag,
})

function pair<S extends z.ZodType>(value: S): z.ZodType<settings.ProfileValue<z.output<S>> | undefined> {
  return maybe(wireObject({ value: maybe(value), modifiable: flag }))
}

const flagPair = pair(z.boolean())
const integerPair = pair(z.int())
const textPair = pair(z.string())

export const securityProfile: z.ZodType<settings.SecurityProfile> = wireObject({
  ...dated,
  id: z.int(),
  name: text,
  description: text,
  allowed_login_attempts: integerPair,
  allow_remember_me: flagPair,
  allow_sms: flagPair,
  allow_voice: flagPair,
  allow_email: flagPair,
  code_time_limit: integerPair,
  code_length: integerPair,
  auto_extend_value: integerPair,
  auto_extend_unit: textPair,
  two_factor_required: flagPair,
  encrypt_attachments: flagPair,
  encrypt_message: flagPair,
  expiration_value: integerPair,
  expiration_unit: textPair,
  reply_enabled: flagPair,
  group_replies: flagPair,
  double_encryption: flagPair,
  retention_period_type: textPair,
  retention_period_value: integerPair,
  retention_period_unit: textPair,
  allow_manual_delete: flagPair,
  allow_manual_close: flagPair,
  allow_for_secure_links: flagPair,
  use_captcha: flagPair,
  verify_email: flagPair,
  distribute_key: flagPair,
  consent_group_id: integerPair,
})

const consentMessage: z.ZodType<settings.ConsentMessage> = wireObject({ ...dated, locale: text, value: text })

export const consentMessageGroup: z.ZodType<settings.ConsentMessageGroup> = wireObject({
  ...dated,
  id: integer,
  name: text,
  consent_messages: listOf(consentMessage),
})

const personalSecureLink: z.ZodType<settings.PersonalSecureLink> = wireObject({
  enabled: flag,
  url: text,
  security_profile_id: integer,
})

export const userSettings: z.ZodType<settings.UserSettings> = wireObject({
  ...dated,
  mask_note: flag,
  open_first_transaction: flag,
  mark_as_read: flag,
  mark_as_read_delay: integer,
  remember_key: flag,
  default_filter: text,
  recipient_language: text,
  secure_link: maybe(personalSecureLink),
  always_promote_as_privileged: flag,
})
