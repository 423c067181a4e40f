import type { JsonValue } from './values.js'
import { newMethods, type Complaints } from './contact-methods.js'
import { notifyGuests } from './notify.js'
import type { Box, Draft, Guest, Profile, StoredFile } from './model.js'
import type { SendSecureState } from './state.js'
import { absoluteTime, addUnits } from './units.js'
import { flag, list, record, text, whole, type Loose } from './values.js'

/** Names under which a profile's value is an option of a SafeBox. */
const renamed: Readonly<Record<string, string>> = { code_length: 'security_code_length' }
const notOptions = new Set(['allow_for_secure_links', 'use_captcha', 'verify_email', 'distribute_key'])

/** Creates a SafeBox from its draft, or says what is wrong with it. */
export function commit(state: SendSecureState, given: Loose): Box | Complaints {
  const complaints: Complaints = {}
  const draft = state.drafts.get(text(given['guid']) ?? '')
  if (!draft || draft.expiresAt <= state.now()) complaints['guid'] = ['is invalid']
  const user = state.userByEmail(text(given['user_email']))
  if (!user) complaints['user_email'] = ['is invalid']
  const profile = state.profiles.find(({ id }) => id === whole(given['security_profile_id']))
  if (!profile) complaints['security_profile_id'] = ['is invalid']
  if (!text(given['notification_language'])) complaints['language'] = ['cannot be blank']
  const key = text(given['public_encryption_key'])
  if (draft && key !== undefined && key !== draft.key) complaints['public_encryption_key'] = ['is invalid']
  const files = documents(state, draft, given['document_ids'], complaints)
  const message = text(given['message'])
  if (message === undefined && list(given['document_ids']).length === 0) complaints['message'] = ['cannot be blank']
  const guests = recipients(state, given['recipients'], complaints)
  if (!draft || !user || !profile) return complaints
  const options = effectiveOptions(profile, given, complaints)
  const expiresAt = expiration(state, given, options, complaints)
  needPhone(options, guests, complaints)
  if (Object.keys(complaints).length > 0) return complaints
  return create(state, { draft, given, profile, files, message, guests, options, expiresAt })
}

interface Parts {
  readonly draft: Draft
  readonly given: Loose
  readonly profile: Profile
  readonly files: StoredFile[]
  readonly message: string | undefined
  readonly guests: Guest[]
  readonly options: Record<string, JsonValue>
  readonly expiresAt: number
}

function create(state: SendSecureState, parts: Parts): Box {
  const { draft, given, guests, options, files, message } = parts
  const now = state.now()
  const emails = guests.map(({ email }) => email)
  const box: Box = {
    guid: draft.guid,
    key: draft.key,
    user: draft.user,
    subject: text(given['subject']) ?? null,
    notificationLanguage: text(given['notification_language']) ?? 'en',
    emailNotificationEnabled: flag(given['email_notification_enabled']) ?? true,
    profile: parts.profile,
    options,
    createdAt: now,
    updatedAt: now,
    latestActivity: now,
    expiresAt: parts.expiresAt,
    status: 'in_progress',
    closedAt: null,
    deleteContentAt: null,
    contentDeletedAt: null,
    followed: true,
    archived: false,
    guests,
    messages: [],
    history: [
      {
        type: 'safebox_created_owner',
        date: now,
        metadata: { emails, attachment_count: files.length },
        message: `SafeBox created by ${draft.user.email} with ${files.length} attachment(s) from 127.0.0.1 for ${emails.join(', ')}`,
      },
    ],
    downloads: new Map(),
  }
  for (const file of files) file.used = true
  box.messages.push({
    id: state.nextId() + 88_000,
    note: message ?? '',
    authorId: String(draft.user.id),
    authorType: 'user',
    createdAt: now,
    files,
    readBy: new Set([String(draft.user.id)]),
  })
  // A guid can be committed once: a second commit finds no draft.
  state.drafts.delete(draft.guid)
  state.boxes.set(box.guid, box)
  notifyGuests(state, box, guests)
  state.changed()
  return box
}

export function documents(
  state: SendSecureState,
  place: { readonly guid: string } | undefined,
  given: unknown,
  complaints: Complaints,
): StoredFile[] {
  const files = list(given).map((id) => state.files.get(text(id) ?? ''))
  const good = files.filter((file): file is StoredFile => !!file && !file.used && file.guid === place?.guid)
  if (good.length !== files.length || new Set(good).size !== good.length) complaints['document_ids'] = ['is invalid']
  return good
}

function recipients(state: SendSecureState, given: unknown, complaints: Complaints): Guest[] {
  if (list(given).length === 0) complaints['recipients'] = ['cannot be blank']
  return list(given).map((entry) => newGuest(state, record(entry), complaints))
}

export function newGuest(state: SendSecureState, entry: Loose, complaints: Complaints): Guest {
  const email = text(entry['email'])
  if (email === undefined) complaints['email'] = ['cannot be blank']
  const now = state.now()
  return {
    id: state.random(16),
    email: email ?? '',
    firstName: text(entry['first_name']) ?? null,
    lastName: text(entry['last_name']) ?? null,
    companyName: text(entry['company_name']) ?? null,
    privileged: flag(entry['privileged']) ?? false,
    locked: flag(entry['locked']) ?? false,
    failedLoginAttempts: 0,
    verified: false,
    contactMethods: newMethods(state, entry['contact_methods'], complaints),
    createdAt: now,
    updatedAt: now,
    code: undefined,
  }
}

function effectiveOptions(profile: Profile, given: Loose, complaints: Complaints): Record<string, JsonValue> {
  const options: Record<string, JsonValue> = {}
  for (const [name, entry] of Object.entries(profile.wire)) {
    const pair = record(entry)
    if (!('modifiable' in pair) || notOptions.has(name)) continue
    const standard = plain(pair['value'])
    const chosen = plain(given[name])
    if (chosen !== null && chosen !== standard && pair['modifiable'] !== true) complaints[name] = ['cannot be modified']
    options[renamed[name] ?? name] = chosen ?? standard
  }
  return options
}

function plain(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

function expiration(
  state: SendSecureState,
  given: Loose,
  options: Readonly<Record<string, JsonValue>>,
  complaints: Complaints,
): number {
  const date = text(given['expiration_date'])
  if (date !== undefined) {
    if (whole(given['expiration_value']) !== undefined) complaints['expiration_date'] = ['is invalid']
    const at = absoluteTime(
      date,
      text(given['expiration_time']) ?? '00:00:00',
      text(given['expiration_time_zone']) ?? '',
    )
    if (at === undefined || at <= state.now()) complaints['expiration_date'] = ['is invalid']
    return at ?? state.now()
  }
  const unit = text(options['expiration_unit']) ?? ''
  const value = whole(options['expiration_value']) ?? 0
  if (value < 1 || !['hours', 'days', 'weeks', 'months'].includes(unit)) complaints['expiration_value'] = ['is invalid']
  return addUnits(state.now(), value, unit)
}

// Where no code can go by mail and one is demanded, it needs a phone.
function needPhone(
  options: Readonly<Record<string, JsonValue>>,
  guests: readonly Guest[],
  complaints: Complaints,
): void {
  if (options['allow_email'] === true || options['two_factor_required'] !== true) return
  if (guests.some(({ contactMethods }) => contactMethods.length === 0))
    complaints['contact_methods'] = ['cannot be blank']
}
