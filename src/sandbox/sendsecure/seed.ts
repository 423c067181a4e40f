import type { JsonObject, JsonValue } from './values.js'
import type { Profile } from './model.js'

/** What a new enterprise has. Ids are those of the API reference's samples. */

const created = '2024-02-05T09:12:44.101Z'

const standard: Readonly<Record<string, JsonValue>> = {
  allowed_login_attempts: 3,
  allow_remember_me: false,
  allow_sms: true,
  allow_voice: false,
  allow_email: true,
  code_time_limit: 5,
  code_length: 6,
  auto_extend_value: 3,
  auto_extend_unit: 'days',
  two_factor_required: true,
  encrypt_attachments: true,
  encrypt_message: true,
  expiration_value: 2,
  expiration_unit: 'weeks',
  reply_enabled: true,
  group_replies: false,
  double_encryption: false,
  retention_period_type: 'discard_at_expiration',
  retention_period_value: null,
  retention_period_unit: 'hours',
  allow_manual_delete: true,
  allow_manual_close: true,
  allow_for_secure_links: false,
  use_captcha: false,
  verify_email: false,
  distribute_key: false,
  consent_group_id: null,
}

const modifiable = new Set([
  'encrypt_message',
  'expiration_value',
  'expiration_unit',
  'reply_enabled',
  'group_replies',
  'double_encryption',
  'retention_period_type',
  'retention_period_value',
  'retention_period_unit',
])

function profile(id: number, name: string, description: string, changes: Readonly<Record<string, JsonValue>>): Profile {
  const values = Object.entries({ ...standard, ...changes })
  const pairs = values.map(([key, value]): [string, JsonValue] => [key, { value, modifiable: modifiable.has(key) }])
  const dates = { created_at: created, updated_at: created }
  return { id, name, wire: { id, name, description, ...dates, ...Object.fromEntries(pairs) } }
}

export function seedProfiles(): Profile[] {
  return [
    profile(21, 'Standard', 'A code by text or mail', {}),
    profile(34, 'Double key', 'With a key that only the participants have', { double_encryption: true }),
    profile(35, 'Phone only', 'A code by text', { allow_email: false, allow_manual_close: false }),
    profile(36, 'With consent', 'Guests accept a text first', { consent_group_id: 7 }),
  ]
}

export function seedSettings(): Record<string, JsonValue> {
  return {
    created_at: '2023-11-02T08:00:00.000Z',
    updated_at: '2024-05-20T14:31:09.412Z',
    default_security_profile_id: 21,
    pdf_language: 'en',
    use_pdfa_audit_records: false,
    international_dialing_plan: 'ca',
    extension_filter: { mode: 'forbid', list: ['bat', 'exe'] },
    virus_scan_enabled: true,
    max_file_size_value: null,
    max_file_size_unit: null,
    include_users_in_autocomplete: true,
    include_favorites_in_autocomplete: true,
    users_public_url: true,
  }
}

export const consentGroup: JsonObject = {
  id: 7,
  name: 'Default',
  created_at: created,
  updated_at: created,
  consent_messages: [
    { locale: 'en', value: 'I accept.', created_at: created, updated_at: created },
    { locale: 'fr', value: "J'accepte.", created_at: created, updated_at: created },
  ],
}
