export type { AttachmentInput, BlobLike, ByteStream, UploadedAttachment, UploadProgress } from './attachment.js'
export type { CallOptions } from './calls-base.js'
export { SendSecureClient, type SubmitOptions, type UploadOptions } from './client.js'
export type * from './inputs.js'
export { checkLimits, extensionAllowed, maxFileBytes } from './limits.js'
export type * from './objects.js'
export type { ConnectionOptions, SendSecureClientOptions } from './options.js'
export type { ProgressCallback, Tracked } from './progress.js'
export type * from './settings.js'
export type { Download } from './transfers.js'
export { getUserToken, type UserToken, type UserTokenOptions } from './user-token.js'
export {
  destinationTypes,
  infoSections,
  retentionTypes,
  retentionUnits,
  safeBoxStatuses,
  statusFilters,
  timeUnits,
  userTokenCodes,
} from './wire.js'
export type {
  DestinationType,
  InfoSection,
  RetentionType,
  RetentionUnit,
  SafeBoxStatus,
  StatusFilter,
  TimeUnit,
} from './wire.js'
