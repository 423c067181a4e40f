import type { JsonObject, JsonValue } from '../../approval/json.js'
import { InvalidInputError } from '../../errors.js'
import type {
  ContactMethodUpdate,
  FavoriteUpdate,
  ListedParticipant,
  NewContactMethod,
  NewFavorite,
  NewParticipant,
  NewReply,
  NewSecurityOptions,
  ParticipantUpdate,
  SafeBoxCommit,
} from './inputs.js'
import { snake } from './reading.js'

/** Leaves out what is not set; callers in JavaScript give null for that, too. */
function fields(values: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const set = Object.entries(values).filter(
    (entry): entry is [string, JsonValue] => entry[1] !== undefined && entry[1] !== null,
  )
  return Object.fromEntries(set.map(([name, value]) => [snake(name), value]))
}

/** What goes into the body of a commit. */
export function commitBody(safebox: SafeBoxCommit, documentIds: readonly string[]): JsonObject {
  return {
    safebox: {
      ...fields({
        guid: safebox.guid,
        userEmail: safebox.userEmail,
        publicEncryptionKey: safebox.publicEncryptionKey,
        subject: safebox.subject,
        message: safebox.message,
        securityProfileId: safebox.securityProfileId,
        notificationLanguage: safebox.notificationLanguage ?? 'en',
        emailNotificationEnabled: safebox.emailNotificationEnabled,
      }),
      document_ids: [...documentIds],
      recipients: guests(safebox.participants).map((guest) => newParticipant(guest)),
      ...chosenOptions(safebox.securityOptions),
    },
  }
}

/** Who of the participants is a recipient: the owner is listed by the service, and must not be sent back as one. */
export function guests(participants: readonly ListedParticipant[]): readonly ListedParticipant[] {
  return participants.filter(({ type }) => type === undefined || type === 'guest')
}

/** A participant of a new SafeBox, or one to be added. The guest's options lie flat beside the name. */
export function newParticipant(participant: NewParticipant): JsonObject {
  const { companyName, contactMethods } = participant.guestOptions ?? {}
  return fields({
    email: participant.email,
    firstName: participant.firstName,
    lastName: participant.lastName,
    privileged: participant.privileged,
    companyName,
    contactMethods: contactMethods?.map(newContactMethod),
  })
}

export function changedParticipant(participant: ParticipantUpdate, remove: ReadonlySet<number>): JsonObject {
  const { companyName, locked, contactMethods } = participant.guestOptions ?? {}
  const body = fields({
    email: participant.email,
    firstName: participant.firstName,
    lastName: participant.lastName,
    privileged: participant.privileged,
    companyName,
    locked,
    contactMethods: contactMethods?.map((method) => changedContactMethod(method, remove)),
  })
  return { participant: body }
}

export function newFavorite(favorite: NewFavorite): JsonObject {
  const contactMethods = favorite.contactMethods?.map(newContactMethod)
  return { favorite: fields({ ...favoriteFields(favorite), contactMethods }) }
}

export function changedFavorite(favorite: FavoriteUpdate, remove: ReadonlySet<number>): JsonObject {
  const contactMethods = favorite.contactMethods?.map((method) => changedContactMethod(method, remove))
  return { favorite: fields({ ...favoriteFields(favorite), orderNumber: favorite.orderNumber, contactMethods }) }
}

function favoriteFields(favorite: NewFavorite | FavoriteUpdate): Readonly<Record<string, JsonValue | undefined>> {
  const { email, firstName, lastName, companyName, alwaysPromote } = favorite
  return { email, firstName, lastName, companyName, alwaysPromote }
}

export function replyBody(reply: NewReply, documentIds: readonly string[]): JsonObject {
  const { message, consent } = reply
  return { safebox: { ...fields({ message, consent }), document_ids: [...documentIds] } }
}

function newContactMethod({ destination, destinationType }: NewContactMethod): JsonObject {
  return { destination_type: destinationType, destination }
}

function changedContactMethod(method: ContactMethodUpdate, remove: ReadonlySet<number>): JsonObject {
  const { id, destination, destinationType } = method
  const gone = id !== undefined && remove.has(id)
  return {
    destination_type: destinationType,
    destination,
    ...(id !== undefined && { id }),
    ...(gone && { _destroy: true }),
  }
}

function chosenOptions(options: NewSecurityOptions | undefined): JsonObject {
  const { expirationDate, ...rest } = options ?? {}
  return {
    ...fields({
      replyEnabled: rest.replyEnabled,
      groupReplies: rest.groupReplies,
      retentionPeriodType: rest.retentionPeriodType,
      retentionPeriodValue: rest.retentionPeriodValue,
      retentionPeriodUnit: rest.retentionPeriodUnit,
      encryptMessage: rest.encryptMessage,
      doubleEncryption: rest.doubleEncryption,
      expirationValue: rest.expirationValue,
      expirationUnit: rest.expirationUnit,
    }),
    ...(expirationDate && absolute(expirationDate)),
  }
}

// Always all three, always UTC: a moment has no zone, and a text without one is read differently by each client.
function absolute(date: Date): JsonObject {
  if (Number.isNaN(date.getTime())) throw new InvalidInputError('expirationDate', 'expirationDate is not a valid date')
  const [day = '', rest = ''] = date.toISOString().split('T')
  return { expiration_date: day, expiration_time: rest.slice(0, 8), expiration_time_zone: '+00:00' }
}
