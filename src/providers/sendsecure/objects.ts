import type { DestinationType, RetentionType, RetentionUnit, SafeBoxStatus, TimeUnit } from './wire.js'

/**
 * The objects that the service answers with, after SendSecure's Web API reference (v2). Names are the wire's in
 * camelCase, times are dates, and what is absent or null is `undefined`. All of it is read-only.
 */

/** One of the known words, or one that the service learned after this was written. */
export type Known<Words extends string> = Words | (string & Record<never, never>)

/** What every object has. */
export interface ServerObject {
  /** Fields that this version doesn't know, by their names on the wire, untouched. */
  readonly extra: Readonly<Record<string, unknown>>
}

/** When the service made the object, and when it last changed it. */
export interface Dated {
  readonly createdAt: Date | undefined
  readonly updatedAt: Date | undefined
}

/** A SafeBox, as far as the call that returned it tells: a list entry has no participants, a commit no unread count. */
export interface SafeBox extends ServerObject, Dated {
  readonly guid: string
  /** The creator's address. Known only from the call that created the SafeBox: the service never returns it. */
  readonly userEmail: string | undefined
  readonly userId: number | undefined
  readonly enterpriseId: number | undefined
  readonly subject: string | undefined
  readonly notificationLanguage: string | undefined
  readonly status: Known<SafeBoxStatus> | undefined
  readonly securityProfileName: string | undefined
  readonly unreadCount: number | undefined
  /** `disabled`, or a word for "deciphered" or "key required" that the reference does not fix. */
  readonly doubleEncryptionStatus: string | undefined
  /** Address of the audit record, once closed. Read it with `getAuditRecordPdf`. */
  readonly auditRecordPdf: string | undefined
  readonly secureLink: string | undefined
  readonly secureLinkTitle: string | undefined
  readonly emailNotificationEnabled: boolean | undefined
  readonly assignedAt: Date | undefined
  readonly latestActivity: Date | undefined
  readonly expiration: Date | undefined
  readonly closedAt: Date | undefined
  readonly contentDeletedAt: Date | undefined
  readonly forceExpiryDate: Date | undefined
  readonly securityOptions: SecurityOptions | undefined
  readonly participants: readonly Participant[] | undefined
  readonly messages: readonly Message[] | undefined
  readonly downloadActivity: DownloadActivity | undefined
  readonly eventHistory: readonly EventHistory[] | undefined
}

/**
 * A SafeBox that was just created. The three secrets are getters that `JSON.stringify`, `inspect()` and spreading leave
 * out; read them by name and keep them where secrets are kept.
 */
export interface CommittedSafeBox extends SafeBox {
  /** The participants' key. Returned once, here, and only with double encryption. */
  readonly encryptionKey: string | undefined
  /** A link that shows the SafeBox; with double encryption it holds the key. */
  readonly previewUrl: string | undefined
  /** The key that came with the new SafeBox; a later reply with attachments needs it when double encryption is on. */
  readonly publicEncryptionKey: string | undefined
}

/** A SafeBox that exists as an id only: nobody was told, and it goes away by itself unless it is committed. */
export interface InitializedSafeBox extends ServerObject {
  readonly guid: string
  /** Echoed unchanged at commit. A secret: not part of `JSON.stringify` or `inspect()`. */
  readonly publicEncryptionKey: string | undefined
  /** Where this SafeBox's files go. Whoever has it can upload; not part of `JSON.stringify` or `inspect()`. */
  readonly uploadUrl: string
}

/** The security options in effect. */
export interface SecurityOptions extends ServerObject {
  readonly replyEnabled: boolean | undefined
  readonly groupReplies: boolean | undefined
  readonly retentionPeriodType: Known<RetentionType> | undefined
  readonly retentionPeriodValue: number | undefined
  readonly retentionPeriodUnit: Known<RetentionUnit> | undefined
  readonly encryptMessage: boolean | undefined
  readonly doubleEncryption: boolean | undefined
  readonly expirationValue: number | undefined
  readonly expirationUnit: Known<TimeUnit> | undefined
  /** Digits of the code that a guest is sent. */
  readonly securityCodeLength: number | undefined
  /** How long such a code is good for; the reference gives no unit, minutes fit its samples. */
  readonly codeTimeLimit: number | undefined
  readonly allowedLoginAttempts: number | undefined
  readonly allowRememberMe: boolean | undefined
  readonly allowSms: boolean | undefined
  readonly allowVoice: boolean | undefined
  readonly allowEmail: boolean | undefined
  readonly twoFactorRequired: boolean | undefined
  readonly autoExtendValue: number | undefined
  readonly autoExtendUnit: Known<TimeUnit> | undefined
  readonly allowManualDelete: boolean | undefined
  readonly allowManualClose: boolean | undefined
  readonly encryptAttachments: boolean | undefined
  readonly consentGroupId: number | undefined
  readonly deleteContentOn: Date | undefined
}

/** A participant. A user has no guest options. */
export interface Participant extends ServerObject {
  /** Undefined only where the service left it out of an update's answer and the caller did not give it. */
  readonly id: string | undefined
  readonly email: string | undefined
  readonly firstName: string | undefined
  readonly lastName: string | undefined
  readonly privileged: boolean | undefined
  readonly type: Known<'guest' | 'user'> | undefined
  readonly role: Known<'guest' | 'owner'> | undefined
  readonly messageReadCount: number | undefined
  readonly messageTotalCount: number | undefined
  readonly guestOptions: GuestOptions | undefined
}

export interface GuestOptions extends ServerObject, Dated {
  readonly companyName: string | undefined
  /** True once access was revoked. */
  readonly locked: boolean | undefined
  readonly bouncedEmail: boolean | undefined
  readonly failedLoginAttempts: number | undefined
  readonly verified: boolean | undefined
  readonly contactMethods: readonly ContactMethod[]
}

/** A phone number of a guest or of a favorite. */
export interface ContactMethod extends ServerObject, Dated {
  readonly id: number | undefined
  readonly destination: string
  readonly destinationType: Known<DestinationType>
  readonly verified: boolean | undefined
}

export interface Message extends ServerObject {
  /** Undefined where the service leaves it out. */
  readonly id: string | undefined
  readonly note: string | undefined
  readonly noteSize: number | undefined
  readonly read: boolean | undefined
  readonly authorId: string | undefined
  /** `guest` or `user`, in lower case. */
  readonly authorType: Known<'guest' | 'user'> | undefined
  readonly createdAt: Date | undefined
  readonly documents: readonly MessageDocument[]
}

export interface MessageDocument extends ServerObject {
  readonly id: string
  readonly name: string | undefined
  /** SHA-256 of the content, 64 hexadecimal digits in lower case. */
  readonly sha: string | undefined
  /** Bytes. */
  readonly size: number | undefined
  /** Not a download link: the address of the call that gives one. Use `getFileUrl` or `downloadFile`. */
  readonly url: string | undefined
}

export interface DownloadActivity extends ServerObject {
  readonly guests: readonly DownloadActivityDetail[]
  readonly owner: DownloadActivityDetail | undefined
}

export interface DownloadActivityDetail extends ServerObject {
  /** The participant's id. */
  readonly id: string
  readonly documents: readonly DownloadActivityDocument[]
}

export interface DownloadActivityDocument extends ServerObject {
  readonly id: string
  readonly downloadedBytes: number | undefined
  /** Undefined when nothing was downloaded. */
  readonly downloadDate: Date | undefined
}

export interface EventHistory extends ServerObject {
  readonly type: Known<'safebox_created_owner'> | undefined
  readonly date: Date | undefined
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  /** A sentence in the client's locale. */
  readonly message: string | undefined
}

/** What an operation on a SafeBox answers. A refusal is an error, so `result` is true. */
export interface Result extends ServerObject {
  readonly result: true
  readonly message: string | undefined
}

/** What {@link SendSecureClient.addTime} answers. */
export interface ExtensionResult extends Result {
  readonly newExpiration: Date | undefined
}

/** One page of the list. */
export interface SafeBoxPage extends ServerObject {
  readonly count: number | undefined
  readonly previousPageUrl: string | undefined
  readonly nextPageUrl: string | undefined
  readonly safeboxes: readonly SafeBox[]
}

/** Somebody whom the recipient search found. */
export interface RecipientSuggestion extends ServerObject {
  readonly id: string
  readonly type: Known<'favorite' | 'user'> | undefined
  readonly firstName: string | undefined
  readonly lastName: string | undefined
  readonly email: string | undefined
  readonly companyName: string | undefined
}

export interface Favorite extends ServerObject, Dated {
  readonly id: number | undefined
  readonly email: string | undefined
  readonly firstName: string | undefined
  readonly lastName: string | undefined
  readonly companyName: string | undefined
  readonly orderNumber: number | undefined
  readonly alwaysPromote: boolean | undefined
  readonly contactMethods: readonly ContactMethod[]
}

/** Where an upload for a reply goes. */
export interface AnnouncedUpload extends ServerObject {
  /** Not the id of the document: that one comes with the upload's answer. */
  readonly temporaryDocumentGuid: string | undefined
  /** Not part of `JSON.stringify` or `inspect()`. */
  readonly uploadUrl: string
}
