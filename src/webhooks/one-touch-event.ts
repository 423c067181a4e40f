import { type CallbackFields, type Level, MalformedCallback } from './one-touch-fields.js'

/** A person's answer to a OneTouch request, from a callback whose signature and content were checked. */
export interface OneTouchEvent {
  /** The same for every delivery of the same answer: `uuid` and `status`. What to be idempotent by. */
  readonly id: string
  /** The approval request at the service. */
  readonly uuid: string
  readonly status: 'approved' | 'denied'
  /** The Authy id of the person who answered, as text: ids may be larger than numbers can be. */
  readonly authyId: string
  /** Our own id of the approval, if the request carried it in its hidden details as `approval_id`. */
  readonly approvalId: string | undefined
  /** The application at the service: 24 hexadecimal digits. Callbacks of 2016 had none. */
  readonly appId: string | undefined
  /** The device that answered: a number as text, or a UUID. */
  readonly deviceUuid: string | undefined
  /** The person reported the request as suspicious. */
  readonly reported: boolean
  /** The question. */
  readonly message: string | undefined
  /** What was shown beside the question, and what was carried along hidden. Records without a prototype. */
  readonly details: Readonly<Record<string, string>>
  readonly hiddenDetails: Readonly<Record<string, string>>
  /** When the person answered, by the device. Milliseconds since the epoch. */
  readonly decidedAt: number | undefined
  /** When the request was made. Milliseconds since the epoch. */
  readonly createdAt: number | undefined
  /** When the request ends; undefined if it never does. Milliseconds since the epoch. */
  readonly expiresAt: number | undefined
}

/** What a callback is compared with. */
export interface Expectations {
  readonly nowSeconds: number
  readonly appId: string | undefined
}

/** An event, or what is wrong with its content. */
export type EventReading =
  | { readonly ok: true; readonly event: OneTouchEvent }
  | { readonly ok: false; readonly reason: 'action' | 'status' | 'status-differs' | 'application' | 'expired' }

const UUID = /^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$/
const AUTHY_ID = /^[1-9][0-9]{0,19}$/
const APP_ID = /^[0-9A-Fa-f]{24}$/
const DEVICE = /^[0-9A-Fa-f-]{1,64}$/
const ACTIONS = ['approval_request_status'] as const
const STATUSES = ['approved', 'denied'] as const
const TRUE = ['true'] as const

/**
 * Makes an event from the fields that we know, each by its own syntax.
 *
 * @throws {@link MalformedCallback} if a field is not what it must be.
 */
export function readEvent(fields: CallbackFields, expected: Expectations): EventReading {
  if (fields.word('callback', 'callback_action', ACTIONS) !== 'approval_request_status')
    return { ok: false, reason: 'action' }
  const status = fields.word('callback', 'status', STATUSES)
  if (status !== 'approved' && status !== 'denied') return { ok: false, reason: 'status' }
  const signedStatus = fields.word('transaction', 'status', STATUSES)
  if (signedStatus !== undefined && signedStatus !== status) return { ok: false, reason: 'status-differs' }
  const appId = optional(fields, 'request', 'app_id', APP_ID)
  if (appId !== undefined && expected.appId !== undefined && appId.toLowerCase() !== expected.appId.toLowerCase()) {
    return { ok: false, reason: 'application' }
  }
  const expiresAt = milliseconds(fields, 'request', 'expiration_timestamp')
  if (expiresAt !== undefined && !(expected.nowSeconds * 1000 <= expiresAt)) return { ok: false, reason: 'expired' }
  return { ok: true, event: eventOf(fields, { status, appId, expiresAt }) }
}

type Known = Pick<OneTouchEvent, 'status' | 'appId' | 'expiresAt'>

function eventOf(fields: CallbackFields, { status, appId, expiresAt }: Known): OneTouchEvent {
  const uuid = required(fields, 'callback', 'uuid', UUID)
  const hiddenDetails = fields.texts('transaction', 'hidden_details')
  return {
    id: `${uuid}:${status}`,
    uuid,
    status,
    authyId: required(fields, 'callback', 'authy_id', AUTHY_ID),
    approvalId: hiddenDetails['approval_id'] || undefined,
    appId,
    deviceUuid: optional(fields, 'callback', 'device_uuid', DEVICE),
    reported: fields.word('transaction', 'flagged', TRUE) === 'true',
    message: fields.text('transaction', 'message'),
    details: fields.texts('transaction', 'details'),
    hiddenDetails,
    decidedAt: milliseconds(fields, 'transaction', 'device_signing_time'),
    createdAt: milliseconds(fields, 'transaction', 'created_at_time'),
    expiresAt,
  }
}

function required(fields: CallbackFields, level: Level, key: string, syntax: RegExp): string {
  const text = optional(fields, level, key, syntax)
  if (text === undefined) throw new MalformedCallback()
  return text
}

function optional(fields: CallbackFields, level: Level, key: string, syntax: RegExp): string | undefined {
  const text = fields.text(level, key)
  if (text !== undefined && !syntax.test(text)) throw new MalformedCallback()
  return text
}

/** Zero stands for "none" in callbacks of 2016, and for a request that never expires. */
function milliseconds(fields: CallbackFields, level: Level, key: string): number | undefined {
  const seconds = fields.seconds(level, key) ?? 0
  return seconds === 0 ? undefined : seconds * 1000
}
