import { InvalidInputError } from '../../errors.js'
import type {
  ContactMethodUpdate,
  DocumentRef,
  MessageRef,
  NewReply,
  NewSecurityOptions,
  SafeBoxCommit,
  SafeBoxDraft,
  SafeBoxRef,
} from './inputs.js'
import { destinationTypes, retentionTypes, retentionUnits, timeUnits } from './wire.js'
import { guests } from './writing.js'

/**
 * The rules that can be known without asking the service, checked before anything is sent. Where the vendor's clients
 * check a rule, the sentence is theirs.
 */

function refuse(field: string, message: string): InvalidInputError {
  return new InvalidInputError(field, message)
}

/** Without what is not set; callers in JavaScript give null for that. */
function given<T extends object>(options: T | undefined): Partial<T> {
  return Object.fromEntries(
    Object.entries(options ?? {}).filter(([, value]: [string, unknown]) => value !== null),
  ) as Partial<T>
}

function oneOf(field: string, value: string | undefined, words: readonly string[], message: string): void {
  if (value !== undefined && !words.includes(value)) throw refuse(field, message)
}

export function present(field: string, value: unknown, message: string): asserts value is string {
  if (typeof value !== 'string' || value === '') throw refuse(field, message)
}

/** A member of what may be anything: callers in JavaScript give null too. */
export function member(value: unknown, ...names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  const name = names.find((candidate) => candidate in value)
  return name === undefined ? undefined : Reflect.get(value, name)
}

export function guidOf(safebox: SafeBoxRef): string {
  const guid = member(safebox, 'guid')
  present('guid', guid, 'SafeBox GUID cannot be null')
  return guid
}

export function creatorOf(creator: string | { readonly userEmail: string }): string {
  const email = member(creator, 'userEmail')
  present('userEmail', email, 'SafeBox user email cannot be null')
  return email
}

export function documentIdOf(document: DocumentRef): string {
  const id = member(document, 'guid', 'id')
  present('document', id, 'Document GUID cannot be null')
  return id
}

export function messageIdOf(message: MessageRef): string {
  return idOf('message', member(message, 'id'), 'Message cannot be null')
}

/** An id that is a number in some places and text in others. */
export function idOf(field: string, id: unknown, message: string): string {
  const text = typeof id === 'number' ? String(id) : id
  present(field, text, message)
  return text
}

/** Marks that meet nothing would be answered with success, and nothing would be deleted. */
export function checkRemoval(methods: readonly ContactMethodUpdate[] | undefined, remove: ReadonlySet<number>): void {
  if (remove.size > 0 && !methods?.some(({ id }) => id !== undefined && remove.has(id)))
    throw refuse('contactMethodIds', 'none of these ids is among the contact methods that were given')
}

/** What every new SafeBox must have. */
export function checkContent(safebox: SafeBoxDraft | SafeBoxCommit, files: number): void {
  present('userEmail', safebox.userEmail, 'SafeBox user email cannot be null')
  if (!Array.isArray(safebox.participants) || guests(safebox.participants).length === 0)
    throw refuse('participants', 'Participants cannot be empty: give at least one guest')
  for (const guest of guests(safebox.participants)) {
    present('email', guest.email, 'Participant email cannot be null')
    checkContactMethods(guest.guestOptions?.contactMethods)
  }
  if (files === 0 && !safebox.message) throw refuse('message', 'a SafeBox needs a message or at least one attachment')
  if (safebox.notificationLanguage === '')
    throw refuse('notificationLanguage', 'notificationLanguage cannot be blank; leave it out for en')
  checkOptions(given(safebox.securityOptions))
}

function checkOptions(options: NewSecurityOptions = {}): void {
  const relative = [options.expirationValue, options.expirationUnit].filter((value) => value !== undefined).length
  if (relative === 1) throw refuse('expirationValue', 'expirationValue and expirationUnit go together')
  if (relative > 0 && options.expirationDate !== undefined)
    throw refuse('expirationDate', 'give expirationDate, or expirationValue and expirationUnit, not both')
  oneOf('expirationUnit', options.expirationUnit, timeUnits, 'Invalid time unit')
  oneOf('retentionPeriodUnit', options.retentionPeriodUnit, retentionUnits, 'Invalid time unit')
  oneOf('retentionPeriodType', options.retentionPeriodType, retentionTypes, 'Invalid retention period type')
}

/** What a commit must have beyond that. */
export function checkCommit(safebox: SafeBoxCommit): readonly string[] {
  guidOf(safebox)
  if (typeof safebox.securityProfileId !== 'number') throw refuse('securityProfileId', 'No Security Profile configured')
  if (safebox.attachments && safebox.documentIds)
    throw refuse('documentIds', 'give attachments or documentIds, not both')
  const ids = safebox.documentIds ?? safebox.attachments?.map(({ guid }) => guid) ?? []
  checkContent(safebox, ids.length)
  if ('expiration' in safebox && safebox.expiration)
    throw refuse('expiration', 'the SafeBox exists already: use addTime to extend it')
  return ids
}

export function checkReply(reply: NewReply): void {
  if (!reply.message && !reply.attachments?.length)
    throw refuse('message', 'a reply needs a message or at least one attachment')
}

export function checkContactMethods(methods: readonly ContactMethodUpdate[] | undefined, known = false): void {
  for (const method of methods ?? []) {
    present('destination', method.destination, 'a contact method needs a destination')
    present('destinationType', method.destinationType, 'a contact method needs a destinationType')
    if (!known || method.id === undefined)
      oneOf('destinationType', method.destinationType, destinationTypes, 'Invalid destination type')
  }
}

export function checkTimeUnit(unit: string): void {
  oneOf('unit', unit, timeUnits, 'Invalid time unit')
}
