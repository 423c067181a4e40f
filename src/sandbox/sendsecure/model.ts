import type { JsonObject, JsonValue } from './values.js'

/** What the stand-in keeps. Times are milliseconds since the epoch on the sandbox's clock. */

/** A SendSecure user of the enterprise. */
export interface User {
  readonly id: number
  readonly email: string
  readonly firstName: string
  readonly lastName: string
  readonly username: string
  readonly password: string
  readonly oneTimePassword: string | undefined
  readonly favorites: Favorite[]
}

export interface ContactMethod {
  readonly id: number
  destination: string
  destinationType: string
  verified: boolean
  readonly createdAt: number
  updatedAt: number
}

export interface Favorite {
  readonly id: number
  email: string
  firstName: string | null
  lastName: string | null
  companyName: string | null
  alwaysPromote: boolean
  orderNumber: number
  contactMethods: ContactMethod[]
  readonly createdAt: number
  updatedAt: number
}

/** A security profile, as it is on the wire. */
export interface Profile {
  readonly id: number
  readonly name: string
  readonly wire: JsonObject
}

/** A file on the file server. Temporary until a commit or a reply names it. */
export interface StoredFile {
  readonly id: string
  readonly guid: string
  readonly name: string
  readonly contentType: string
  readonly size: number
  readonly sha: string
  readonly path: string
  used: boolean
}

/** A SafeBox that is not committed: nobody knows of it. */
export interface Draft {
  readonly guid: string
  readonly key: string
  readonly user: User
  readonly expiresAt: number
}

/** An address of the file server to which files of one SafeBox go. */
export interface UploadTicket {
  readonly guid: string
  /** Bytes that were announced, for a reply. */
  readonly size: number | undefined
  readonly expiresAt: number
}

/** An address of the file server from which one file comes, for one participant. */
export interface DownloadTicket {
  readonly file: StoredFile
  readonly participantId: string
  readonly expiresAt: number
}

export interface Guest {
  readonly id: string
  email: string
  firstName: string | null
  lastName: string | null
  companyName: string | null
  privileged: boolean
  locked: boolean
  failedLoginAttempts: number
  verified: boolean
  contactMethods: ContactMethod[]
  readonly createdAt: number
  updatedAt: number
  /** The code that was sent last, and until when it is good. */
  code: { readonly value: string; readonly expiresAt: number } | undefined
}

export interface Message {
  readonly id: number
  readonly note: string
  readonly authorId: string
  readonly authorType: 'user' | 'guest'
  readonly createdAt: number
  readonly files: StoredFile[]
  readonly readBy: Set<string>
}

export interface HistoryEvent {
  readonly type: string
  readonly date: number
  readonly metadata: JsonObject
  readonly message: string
}

export type BoxStatus = 'in_progress' | 'closed' | 'content_deleted'

/** A SafeBox. */
export interface Box {
  readonly guid: string
  readonly key: string
  readonly user: User
  readonly subject: string | null
  readonly notificationLanguage: string
  readonly emailNotificationEnabled: boolean
  readonly profile: Profile
  /** The options in effect, by their names on the wire. */
  readonly options: Readonly<Record<string, JsonValue>>
  readonly createdAt: number
  updatedAt: number
  latestActivity: number
  expiresAt: number
  status: BoxStatus
  closedAt: number | null
  /** When the content goes, once closed; null: never. */
  deleteContentAt: number | null
  contentDeletedAt: number | null
  followed: boolean
  archived: boolean
  readonly guests: Guest[]
  messages: Message[]
  readonly history: HistoryEvent[]
  /** By participant, then by document. */
  readonly downloads: Map<string, Map<string, { readonly bytes: number; readonly date: number }>>
}
