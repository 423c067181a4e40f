/** The words of the SendSecure wire that both ends share: enumerations and paths' parts. Nothing here does any work. */

/** Time units of expirations, extensions and automatic extensions. */
export const timeUnits = ['hours', 'days', 'weeks', 'months'] as const
/** Time units of retention periods. */
export const retentionUnits = [...timeUnits, 'years'] as const
/** What happens to the content when a SafeBox closes. */
export const retentionTypes = ['discard_at_expiration', 'retain_at_expiration', 'do_not_discard'] as const
/** Kinds of phone numbers of a guest. */
export const destinationTypes = ['home_phone', 'cell_phone', 'office_phone', 'other_phone'] as const
/** The states of a SafeBox. */
export const safeBoxStatuses = ['in_progress', 'closed', 'content_deleted'] as const
/** What the list can be filtered by: the states, and `unread`, which is a filter and never a state. */
export const statusFilters = [...safeBoxStatuses, 'unread'] as const
/** The parts of a SafeBox that can be asked for one by one. */
export const infoSections = [
  'download_activity',
  'event_history',
  'messages',
  'participants',
  'security_options',
] as const

export type TimeUnit = (typeof timeUnits)[number]
export type RetentionUnit = (typeof retentionUnits)[number]
export type RetentionType = (typeof retentionTypes)[number]
export type DestinationType = (typeof destinationTypes)[number]
export type SafeBoxStatus = (typeof safeBoxStatuses)[number]
export type StatusFilter = (typeof statusFilters)[number]
export type InfoSection = (typeof infoSections)[number]

/** Tokens of the sandbox begin like this, so that a client does not send one to the real service. */
export const sandboxTokenPrefix = 'USER|sandbox'

/** The codes that a refused {@link getUserToken} can carry as `providerCode`. */
export const userTokenCodes = {
  unexpected: '100',
  invalidPermalink: '101',
  invalidCredentials: '102',
  applicationTypeMissing: '103',
  deviceIdMissing: '104',
  deviceNameMissing: '105',
  oneTimePasswordNeeded: '106',
} as const
