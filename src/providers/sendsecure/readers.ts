import { z } from 'zod'
import type * as objects from './objects.js'
import { listOf, looseId, maybe, maybeList, time, wireObject } from './reading.js'

const text = maybe(z.string())
const flag = maybe(z.boolean())
const integer = maybe(z.int())
const date = maybe(time)
const dated = { created_at: date, updated_at: date }

export const contactMethod: z.ZodType<objects.ContactMethod> = wireObject({
  ...dated,
  id: integer,
  destination: z.string(),
  destination_type: z.string(),
  verified: flag,
})

const guestOptions: z.ZodType<objects.GuestOptions> = wireObject({
  ...dated,
  company_name: text,
  locked: flag,
  bounced_email: flag,
  failed_login_attempts: integer,
  verified: flag,
  contact_methods: listOf(contactMethod),
})

export const participant: z.ZodType<objects.Participant> = wireObject({
  id: maybe(looseId),
  email: text,
  first_name: text,
  last_name: text,
  privileged: flag,
  type: text,
  role: text,
  message_read_count: integer,
  message_total_count: integer,
  guest_options: maybe(guestOptions),
})

const messageDocument: z.ZodType<objects.MessageDocument> = wireObject({
  id: looseId,
  name: text,
  sha: maybe(z.string().transform((digest) => digest.toLowerCase())),
  size: integer,
  url: text,
})

export const message: z.ZodType<objects.Message> = wireObject({
  id: maybe(looseId),
  note: text,
  note_size: integer,
  read: flag,
  author_id: maybe(looseId),
  author_type: maybe(z.string().transform((type) => type.toLowerCase())),
  created_at: date,
  documents: listOf(messageDocument),
})

const optionShape = {
  reply_enabled: flag,
  group_replies: flag,
  retention_period_type: text,
  retention_period_value: integer,
  retention_period_unit: text,
  encrypt_message: flag,
  double_encryption: flag,
  expiration_value: integer,
  expiration_unit: text,
  security_code_length: integer,
  code_time_limit: integer,
  allowed_login_attempts: integer,
  allow_remember_me: flag,
  allow_sms: flag,
  allow_voice: flag,
  allow_email: flag,
  two_factor_required: flag,
  auto_extend_value: integer,
  auto_extend_unit: text,
  allow_manual_delete: flag,
  allow_manual_close: flag,
  encrypt_attachments: flag,
  consent_group_id: integer,
  delete_content_on: date,
}

export const securityOptions: z.ZodType<objects.SecurityOptions> = wireObject(optionShape)

/** In a commit's answer the security options lie flat among the SafeBox's own fields. */
export const securityOptionNames: ReadonlySet<string> = new Set(Object.keys(optionShape))

const activityDocument: z.ZodType<objects.DownloadActivityDocument> = wireObject({
  id: looseId,
  downloaded_bytes: integer,
  download_date: date,
})

const activityDetail: z.ZodType<objects.DownloadActivityDetail> = wireObject({
  id: looseId,
  documents: listOf(activityDocument),
})

export const downloadActivity: z.ZodType<objects.DownloadActivity> = wireObject({
  guests: listOf(activityDetail),
  owner: maybe(activityDetail),
})

export const eventHistory: z.ZodType<objects.EventHistory> = wireObject({
  type: text,
  date,
  metadata: maybe(z.record(z.string(), z.unknown())),
  message: text,
})

export const safeBox: z.ZodType<objects.SafeBox> = wireObject({
  ...dated,
  guid: z.string().min(1),
  user_email: text,
  user_id: integer,
  enterprise_id: integer,
  subject: text,
  notification_language: text,
  status: text,
  security_profile_name: text,
  unread_count: integer,
  double_encryption_status: text,
  audit_record_pdf: text,
  secure_link: text,
  secure_link_title: text,
  email_notification_enabled: flag,
  assigned_at: date,
  latest_activity: date,
  expiration: date,
  closed_at: date,
  content_deleted_at: date,
  force_expiry_date: date,
  security_options: maybe(securityOptions),
  participants: maybeList(participant),
  messages: maybeList(message),
  download_activity: maybe(downloadActivity),
  event_history: maybeList(eventHistory),
})

export const result: z.ZodType<objects.Result> = wireObject({ result: z.literal(true), message: text })

export const extensionResult: z.ZodType<objects.ExtensionResult> = wireObject({
  result: z.literal(true),
  message: text,
  new_expiration: date,
})

// High-level lists wrap each entry, some low-level ones do not.
const listEntry = z.preprocess(
  (entry) => (typeof entry === 'object' && entry !== null && 'safebox' in entry ? entry.safebox : entry),
  safeBox,
)

export const safeBoxPage: z.ZodType<objects.SafeBoxPage> = wireObject({
  count: integer,
  previous_page_url: text,
  next_page_url: text,
  safeboxes: z.array(listEntry),
})

export const recipientSuggestion: z.ZodType<objects.RecipientSuggestion> = wireObject({
  id: looseId,
  type: text,
  first_name: text,
  last_name: text,
  email: text,
  company_name: text,
})

export const favorite: z.ZodType<objects.Favorite> = wireObject({
  ...dated,
  id: integer,
  email: text,
  first_name: text,
  last_name: text,
  company_name: text,
  order_number: integer,
  always_promote: flag,
  contact_methods: listOf(contactMethod),
})
