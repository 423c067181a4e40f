import type { JsonObject, JsonValue } from './values.js'
import type { Box, ContactMethod, Favorite, Guest, Message, User } from './model.js'
import type { SendSecureState } from './state.js'

/** The objects as they go over the wire. */

export const iso = (at: number): string => new Date(at).toISOString()
const maybeIso = (at: number | null): string | null => (at === null ? null : iso(at))

/** An entry of the list: a SafeBox without its sections. */
export function plainBox(state: SendSecureState, box: Box): JsonObject {
  return {
    guid: box.guid,
    user_id: box.user.id,
    enterprise_id: state.enterpriseId,
    subject: box.subject,
    notification_language: box.notificationLanguage,
    status: box.status,
    security_profile_name: box.profile.name,
    unread_count: unreadCount(box),
    double_encryption_status: box.options['double_encryption'] === true ? 'key_required' : 'disabled',
    audit_record_pdf: box.status === 'in_progress' ? null : auditUrl(state, box),
    secure_link: null,
    secure_link_title: null,
    email_notification_enabled: box.emailNotificationEnabled,
    created_at: iso(box.createdAt),
    updated_at: iso(box.updatedAt),
    assigned_at: iso(box.createdAt),
    latest_activity: iso(box.latestActivity),
    expiration: iso(box.expiresAt),
    closed_at: maybeIso(box.closedAt),
    content_deleted_at: maybeIso(box.contentDeletedAt),
  }
}

/** The answer to a commit: flat, with the options in effect, and the key once. */
export function committedBox(state: SendSecureState, box: Box): JsonObject {
  const double = box.options['double_encryption'] === true
  const preview = `${state.origins.application}/s/${box.guid}/preview`
  return {
    guid: box.guid,
    user_id: box.user.id,
    enterprise_id: state.enterpriseId,
    subject: box.subject,
    expiration: iso(box.expiresAt),
    notification_language: box.notificationLanguage,
    status: box.status,
    security_profile_name: box.profile.name,
    force_expiry_date: null,
    ...box.options,
    delete_content_on: maybeIso(box.deleteContentAt),
    email_notification_enabled: box.emailNotificationEnabled,
    preview_url: double ? `${preview}?k=${box.key}` : preview,
    encryption_key: double ? box.key : null,
    created_at: iso(box.createdAt),
    updated_at: iso(box.updatedAt),
    latest_activity: iso(box.latestActivity),
  }
}

export const auditUrl = (state: SendSecureState, box: Box): string => `${state.origins.application}/s/${box.guid}.pdf`

export function unreadCount(box: Box): number {
  return box.messages.filter((message) => !message.readBy.has(String(box.user.id))).length
}

/** Each section under its name, as it is both inside the info and on its own. */
export function section(state: SendSecureState, box: Box, name: string): JsonValue {
  switch (name) {
    case 'participants':
      return [...box.guests.map((guest) => participant(box, guest)), owner(box)]
    case 'messages':
      return box.messages.map((message) => messageOf(state, box, message))
    case 'security_options':
      return { ...box.options, delete_content_on: maybeIso(box.deleteContentAt) }
    case 'download_activity':
      return downloadActivity(box)
    case 'event_history':
      return box.history.map(({ type, date, metadata, message }) => ({ type, date: iso(date), metadata, message }))
    default:
      return null
  }
}

function counts(box: Box, reader: string): { message_read_count: number; message_total_count: number } {
  const read = box.messages.filter(({ readBy }) => readBy.has(reader)).length
  return { message_read_count: read, message_total_count: box.messages.length }
}

export function participant(box: Box, guest: Guest): JsonObject {
  return {
    id: guest.id,
    first_name: guest.firstName,
    last_name: guest.lastName,
    email: guest.email,
    type: 'guest',
    role: 'guest',
    ...counts(box, guest.id),
    guest_options: {
      company_name: guest.companyName,
      locked: guest.locked,
      bounced_email: false,
      failed_login_attempts: guest.failedLoginAttempts,
      verified: guest.verified,
      created_at: iso(guest.createdAt),
      updated_at: iso(guest.updatedAt),
      contact_methods: guest.contactMethods.map((method) => ({ ...contactMethod(method), verified: method.verified })),
    },
  }
}

function owner(box: Box): JsonObject {
  const { id, firstName, lastName, email } = box.user
  const name = { first_name: firstName, last_name: lastName, email }
  return { id, ...name, type: 'user', role: 'owner', ...counts(box, String(id)) }
}

function contactMethod(method: ContactMethod): JsonObject {
  return {
    id: method.id,
    destination: method.destination,
    destination_type: method.destinationType,
    created_at: iso(method.createdAt),
    updated_at: iso(method.updatedAt),
  }
}

function messageOf(state: SendSecureState, box: Box, message: Message): JsonObject {
  return {
    id: message.id,
    note: message.note,
    note_size: Buffer.byteLength(message.note),
    read: message.readBy.has(String(box.user.id)),
    author_id: message.authorId,
    author_type: message.authorType,
    created_at: iso(message.createdAt),
    documents: message.files.map(({ id, name, sha, size }) => ({
      id,
      name,
      sha,
      size,
      url: `${state.origins.application}/api/v2/safeboxes/${box.guid}/documents/${id}/url`,
    })),
  }
}

function downloadActivity(box: Box): JsonObject {
  const documents = box.messages.flatMap(({ files }) => files)
  const detail = (id: string): JsonValue[] =>
    documents.map((file) => {
      const seen = box.downloads.get(id)?.get(file.id)
      return { id: file.id, downloaded_bytes: seen?.bytes ?? 0, download_date: seen ? iso(seen.date) : null }
    })
  return {
    guests: box.guests.map(({ id }) => ({ id, documents: detail(id) })),
    owner: { id: box.user.id, documents: detail(String(box.user.id)) },
  }
}

export function favorite(entry: Favorite): JsonObject {
  return {
    email: entry.email,
    id: entry.id,
    first_name: entry.firstName,
    last_name: entry.lastName,
    company_name: entry.companyName,
    always_promote: entry.alwaysPromote,
    order_number: entry.orderNumber,
    created_at: iso(entry.createdAt),
    updated_at: iso(entry.updatedAt),
    contact_methods: entry.contactMethods.map(contactMethod),
  }
}

export function userSettings(state: SendSecureState, _user: User): JsonObject {
  return {
    created_at: '2023-11-03T08:00:00.000Z',
    updated_at: '2024-04-10T18:58:59.356Z',
    mask_note: false,
    open_first_transaction: false,
    mark_as_read: true,
    mark_as_read_delay: 5,
    remember_key: true,
    default_filter: 'everything',
    recipient_language: null,
    secure_link: { enabled: true, url: `${state.origins.application}/r/6f21c0de`, security_profile_id: 34 },
    always_promote_as_privileged: false,
  }
}
