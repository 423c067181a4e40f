import type { AttachmentInput, UploadedAttachment } from './attachment.js'
import type { DestinationType, RetentionType, RetentionUnit, StatusFilter, TimeUnit } from './wire.js'

/**
 * What callers send. A property without `?` is mandatory; read-only properties of the service are not in these types at
 * all, but an object that came from the service may be passed where its fields fit: what the service owns is left out.
 */

/** A SafeBox by its guid, or anything that has one. */
export type SafeBoxRef =
  | string
  | {
      readonly guid: string
      readonly userEmail?: string | undefined
      readonly publicEncryptionKey?: string | undefined
    }

/** A document: its guid, an uploaded attachment, or a document read from a message. */
export type DocumentRef = string | { readonly guid: string } | { readonly id: string }

/** A message: its id, or the message. */
export type MessageRef = string | number | { readonly id: string | number | undefined }

/** A phone number of a guest. */
export interface NewContactMethod {
  /** Such as `+15145550111`, or in national form. */
  readonly destination: string
  readonly destinationType: DestinationType
}

/** A phone number in an update: with its id it is changed, without one it is added. */
export interface ContactMethodUpdate {
  readonly id?: number | undefined
  readonly destination: string
  // Read from the service this may be a word that the service learned later; it goes back as it came.
  readonly destinationType: DestinationType | (string & Record<never, never>)
}

interface Named {
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
}

interface ParticipantTraits extends Named {
  /** Not documented by the service. */
  readonly privileged?: boolean | undefined
}

/** Somebody to send to. */
export interface NewParticipant extends ParticipantTraits {
  readonly email: string
  readonly guestOptions?:
    | {
        readonly companyName?: string | undefined
        /** A security profile may demand at least one. */
        readonly contactMethods?: readonly NewContactMethod[] | undefined
      }
    | undefined
}

/** Anybody in a SafeBox as the service lists them. Of those, only guests are recipients: users (the owner) are left out. */
export interface ListedParticipant extends NewParticipant {
  readonly type?: string | undefined
}

/** A change of a participant. What is left out stays as it is; contact methods that are not listed stay as well. */
export interface ParticipantUpdate extends ParticipantTraits {
  readonly id: string | number
  readonly email?: string | undefined
  readonly guestOptions?:
    | {
        readonly companyName?: string | undefined
        /** True revokes access. */
        readonly locked?: boolean | undefined
        readonly contactMethods?: readonly ContactMethodUpdate[] | undefined
      }
    | undefined
}

/** When a SafeBox ends: after a time, or at a moment. Not both. Left out, the security profile decides. */
export type Expiration =
  | { readonly expirationValue: number; readonly expirationUnit: TimeUnit; readonly expirationDate?: undefined }
  | { readonly expirationDate: Date; readonly expirationValue?: undefined; readonly expirationUnit?: undefined }
  | {
      readonly expirationDate?: undefined
      readonly expirationValue?: undefined
      readonly expirationUnit?: undefined
    }

/** The security options that can be chosen, as far as the profile lets them be modified. */
export type NewSecurityOptions = Expiration & {
  readonly replyEnabled?: boolean | undefined
  /** Guests see each other. */
  readonly groupReplies?: boolean | undefined
  readonly retentionPeriodType?: RetentionType | undefined
  readonly retentionPeriodValue?: number | undefined
  readonly retentionPeriodUnit?: RetentionUnit | undefined
  readonly encryptMessage?: boolean | undefined
  readonly doubleEncryption?: boolean | undefined
}

/** What every new SafeBox has. It needs a message or at least one attachment. */
interface SafeBoxContent {
  /** The creator: must be a SendSecure user of the enterprise. */
  readonly userEmail: string
  /** At least one of them a guest. */
  readonly participants: readonly ListedParticipant[]
  readonly subject?: string | undefined
  readonly message?: string | undefined
  /** Language of the recipients' mails. Default `en`. */
  readonly notificationLanguage?: string | undefined
  /** Whether the owner is notified. Default: as the service does. */
  readonly emailNotificationEnabled?: boolean | undefined
  readonly securityOptions?: NewSecurityOptions | undefined
}

/** A SafeBox to be sent with {@link SendSecureClient.submitSafebox}. */
export interface SafeBoxDraft extends SafeBoxContent {
  /** Default: the enterprise's default profile. */
  readonly securityProfileId?: number | undefined
  readonly attachments?: readonly AttachmentInput[] | undefined
}

/** A SafeBox whose files are uploaded, to be sent with {@link SendSecureClient.commitSafebox}. */
export interface SafeBoxCommit extends SafeBoxContent {
  /** From `initializeSafebox`. */
  readonly guid: string
  /** From `initializeSafebox`, unchanged. */
  readonly publicEncryptionKey?: string | undefined
  readonly securityProfileId: number
  /** In this order. Not together with `documentIds`. */
  readonly attachments?: readonly UploadedAttachment[] | undefined
  readonly documentIds?: readonly string[] | undefined
}

/** A reply to a SafeBox. It needs a message or at least one attachment, and the size of each attachment. */
export interface NewReply {
  readonly message?: string | undefined
  /** The consent message was accepted; some SafeBoxes demand it. */
  readonly consent?: boolean | undefined
  readonly attachments?: readonly AttachmentInput[] | undefined
  /** The SafeBox's key, kept from its creation; needed for attachments when double encryption is on. Default: the SafeBox object's own. */
  readonly publicEncryptionKey?: string | undefined
}

/** Which SafeBoxes to list. */
export interface SafeBoxFilter {
  /** Any of these states; `unread` narrows them down further. */
  readonly status?: StatusFilter | readonly StatusFilter[] | undefined
  /** Part of subject, guid, message, participant's address or name, file name or fingerprint. */
  readonly search?: string | undefined
  /** 1 to 1000. Default 100. */
  readonly perPage?: number | undefined
  /** From 1. */
  readonly page?: number | undefined
}

export interface NewFavorite {
  readonly email: string
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
  readonly companyName?: string | undefined
  /** Not documented by the service. */
  readonly alwaysPromote?: boolean | undefined
  readonly contactMethods?: readonly NewContactMethod[] | undefined
}

/** A change of a favorite. What is left out stays as it is. */
export interface FavoriteUpdate {
  readonly id: number
  readonly email?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
  readonly companyName?: string | undefined
  readonly alwaysPromote?: boolean | undefined
  readonly orderNumber?: number | undefined
  readonly contactMethods?: readonly ContactMethodUpdate[] | undefined
}
