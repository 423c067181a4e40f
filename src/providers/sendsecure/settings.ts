import type { Dated, Known, ServerObject } from './objects.js'
import type { RetentionType, RetentionUnit, TimeUnit } from './wire.js'

/** What an enterprise allows and demands. All read-only. */
export interface EnterpriseSettings extends ServerObject, Dated {
  readonly defaultSecurityProfileId: number | undefined
  /** Language of audit records. */
  readonly pdfLanguage: string | undefined
  readonly usePdfaAuditRecords: boolean | undefined
  readonly internationalDialingPlan: string | undefined
  readonly extensionFilter: ExtensionFilter | undefined
  readonly virusScanEnabled: boolean | undefined
  /** With `maxFileSizeUnit`; both undefined when the enterprise states no maximum. */
  readonly maxFileSizeValue: number | undefined
  readonly maxFileSizeUnit: string | undefined
  readonly includeUsersInAutocomplete: boolean | undefined
  readonly includeFavoritesInAutocomplete: boolean | undefined
  readonly usersPublicUrl: boolean | undefined
}

/** Which file extensions may be sent: only those on the list, or all but those. */
export interface ExtensionFilter extends ServerObject {
  readonly mode: Known<'allow' | 'forbid'>
  /** Without a dot. Compared without regard to case. */
  readonly list: readonly string[]
}

/** A value of a security profile, and whether a SafeBox may choose another. */
export interface ProfileValue<T> extends ServerObject {
  readonly value: T | undefined
  readonly modifiable: boolean | undefined
}

type FlagName =
  | 'allowRememberMe'
  | 'allowSms'
  | 'allowVoice'
  | 'allowEmail'
  | 'twoFactorRequired'
  | 'encryptAttachments'
  | 'encryptMessage'
  | 'replyEnabled'
  | 'groupReplies'
  | 'doubleEncryption'
  | 'allowManualDelete'
  | 'allowManualClose'
  | 'allowForSecureLinks'
  | 'useCaptcha'
  | 'verifyEmail'
  | 'distributeKey'

type CountName =
  | 'allowedLoginAttempts'
  | 'codeTimeLimit'
  | 'codeLength'
  | 'autoExtendValue'
  | 'expirationValue'
  | 'retentionPeriodValue'
  | 'consentGroupId'

type Pairs<Names extends string, T> = { readonly [Name in Names]: ProfileValue<T> | undefined }

/** A set of rules that a SafeBox is made under. Pairs that the service leaves out are undefined. */
export interface SecurityProfile extends ServerObject, Dated, Pairs<FlagName, boolean>, Pairs<CountName, number> {
  readonly id: number
  readonly name: string | undefined
  readonly description: string | undefined
  readonly autoExtendUnit: ProfileValue<Known<TimeUnit>> | undefined
  readonly expirationUnit: ProfileValue<Known<TimeUnit>> | undefined
  readonly retentionPeriodType: ProfileValue<Known<RetentionType>> | undefined
  readonly retentionPeriodUnit: ProfileValue<Known<RetentionUnit>> | undefined
}

/** The texts that a guest accepts before opening a SafeBox, one a language. */
export interface ConsentMessageGroup extends ServerObject, Dated {
  readonly id: number | undefined
  readonly name: string | undefined
  readonly consentMessages: readonly ConsentMessage[]
}

export interface ConsentMessage extends ServerObject, Dated {
  readonly locale: string | undefined
  readonly value: string | undefined
}

/** The preferences of one user. */
export interface UserSettings extends ServerObject, Dated {
  readonly maskNote: boolean | undefined
  readonly openFirstTransaction: boolean | undefined
  readonly markAsRead: boolean | undefined
  /** Seconds. */
  readonly markAsReadDelay: number | undefined
  readonly rememberKey: boolean | undefined
  readonly defaultFilter: Known<'everything' | 'in_progress' | 'closed' | 'content_deleted' | 'unread'> | undefined
  readonly recipientLanguage: string | undefined
  readonly secureLink: PersonalSecureLink | undefined
  readonly alwaysPromoteAsPrivileged: boolean | undefined
}

export interface PersonalSecureLink extends ServerObject {
  readonly enabled: boolean | undefined
  readonly url: string | undefined
  readonly securityProfileId: number | undefined
}
