import { unlink } from 'node:fs/promises'
import type { JsonObject } from './values.js'
import { documents, newGuest } from './commit.js'
import { changedMethods, type Complaints } from './contact-methods.js'
import type { Box, Guest, Message } from './model.js'
import { notifyGuests } from './notify.js'
import type { SendSecureState } from './state.js'
import { addUnits } from './units.js'
import { flag, list, text, type Loose, whole } from './values.js'

/** What happens to SafeBoxes by themselves, and what their owner does to them. */

/** Brings a SafeBox up to the sandbox's time: closes what has expired, deletes what was kept long enough. */
export function settle(state: SendSecureState, box: Box): void {
  if (box.status === 'in_progress' && box.expiresAt <= state.now()) shut(state, box, box.expiresAt)
  if (box.status === 'closed' && box.deleteContentAt !== null && box.deleteContentAt <= state.now())
    empty(state, box, box.deleteContentAt)
}

export function find(state: SendSecureState, guid: string | undefined): Box | undefined {
  const box = state.boxes.get(guid ?? '')
  if (box) settle(state, box)
  return box
}

export function note(box: Box, type: string, date: number, message: string, metadata: JsonObject = {}): void {
  // Only one type is documented; ours say where they are from.
  box.history.push({ type: `sandbox_${type}`, date, metadata, message })
  box.latestActivity = date
  box.updatedAt = date
}

function shut(state: SendSecureState, box: Box, at: number): void {
  box.status = 'closed'
  box.closedAt = at
  note(box, 'closed', at, 'SafeBox closed')
  const type = box.options['retention_period_type']
  if (type === 'discard_at_expiration') box.deleteContentAt = at
  const value = whole(box.options['retention_period_value']) ?? 0
  const unit = text(box.options['retention_period_unit']) ?? 'hours'
  if (type === 'retain_at_expiration') box.deleteContentAt = addUnits(at, value, unit)
  settle(state, box)
  state.changed()
}

function empty(state: SendSecureState, box: Box, at: number): void {
  for (const file of box.messages.flatMap(({ files }) => files)) {
    state.files.delete(file.id)
    void unlink(file.path).catch(() => undefined)
  }
  box.messages = []
  box.status = 'content_deleted'
  box.contentDeletedAt = at
  note(box, 'content_deleted', at, 'SafeBox content deleted')
  state.changed()
}

export function close(state: SendSecureState, box: Box): boolean {
  if (box.status !== 'in_progress' || box.options['allow_manual_close'] !== true) return false
  shut(state, box, state.now())
  return true
}

export function deleteContent(state: SendSecureState, box: Box): boolean {
  if (box.status !== 'closed' || box.options['allow_manual_delete'] !== true) return false
  empty(state, box, state.now())
  return true
}

/** The new expiration, or undefined if it can't be. */
export function addTime(state: SendSecureState, box: Box, given: Loose): number | undefined {
  const value = whole(given['add_time_value'])
  const unit = text(given['add_time_unit']) ?? ''
  if (box.status !== 'in_progress' || !value || !['hours', 'days', 'weeks', 'months'].includes(unit)) return undefined
  box.expiresAt = addUnits(box.expiresAt, value, unit)
  note(box, 'time_added', state.now(), `SafeBox extended by ${value} ${unit}`)
  state.changed()
  return box.expiresAt
}

/** Adds a message of the owner or of a guest; false if it can't be. */
export function reply(state: SendSecureState, box: Box, given: Loose, author: Guest | undefined): boolean {
  const message = text(given['message'])
  const complaints: Complaints = {}
  const files = documents(state, box, given['document_ids'], complaints)
  const open = box.status === 'in_progress' && box.options['reply_enabled'] === true
  const consented = box.options['consent_group_id'] === null || flag(given['consent']) === true
  const something = message !== undefined || list(given['document_ids']).length > 0
  if (!open || !consented || !something || Object.keys(complaints).length > 0) return false
  for (const file of files) file.used = true
  const now = state.now()
  const authorId = author ? author.id : String(box.user.id)
  const added: Message = {
    id: state.nextId() + 88_000,
    note: message ?? '',
    authorId,
    authorType: author ? 'guest' : 'user',
    createdAt: now,
    files,
    readBy: new Set([authorId]),
  }
  box.messages.push(added)
  note(box, 'replied', now, `${author?.email ?? box.user.email} replied with ${files.length} attachment(s)`)
  const extended = addUnits(
    now,
    whole(box.options['auto_extend_value']) ?? 0,
    text(box.options['auto_extend_unit']) ?? '',
  )
  box.expiresAt = Math.max(box.expiresAt, extended)
  if (!author) notifyGuests(state, box, box.guests)
  state.changed()
  return true
}

export function addGuest(state: SendSecureState, box: Box, given: Loose): Guest | Complaints {
  const complaints: Complaints = {}
  const guest = newGuest(state, { ...given, locked: undefined }, complaints)
  if (box.status !== 'in_progress') complaints['base'] = ['the SafeBox is closed']
  if (Object.keys(complaints).length > 0) return complaints
  box.guests.push(guest)
  note(box, 'participant_added', state.now(), `${guest.email} added`)
  notifyGuests(state, box, [guest])
  state.changed()
  return guest
}

export function changeGuest(state: SendSecureState, box: Box, guest: Guest, given: Loose): Complaints | undefined {
  const complaints: Complaints = {}
  if (box.status !== 'in_progress') complaints['base'] = ['the SafeBox is closed']
  if ('email' in given && !text(given['email'])) complaints['email'] = ['cannot be blank']
  const methods = changedMethods(state, guest.contactMethods, given['contact_methods'], complaints)
  if (Object.keys(complaints).length > 0) return complaints
  guest.contactMethods = methods
  guest.email = text(given['email']) ?? guest.email
  if ('first_name' in given) guest.firstName = text(given['first_name']) ?? null
  if ('last_name' in given) guest.lastName = text(given['last_name']) ?? null
  if ('company_name' in given) guest.companyName = text(given['company_name']) ?? null
  guest.locked = flag(given['locked']) ?? guest.locked
  guest.privileged = flag(given['privileged']) ?? guest.privileged
  guest.updatedAt = state.now()
  state.changed()
  return undefined
}
