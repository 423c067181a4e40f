export { PassByMeClient, type PassByMeClientOptions, type PassByMeMessage, type TrackOptions } from './client.js'
export {
  PassByMeAuthentication,
  type PassByMeAuthenticationRequest,
  type PassByMeProgress,
  type PassByMeTransaction,
} from './authentication.js'
export { PassByMeManagementClient } from './management.js'
export { ManagementAliases, ManagementEnrollments, ManagementUsers, type NewPassByMeUser } from './management-users.js'
export {
  ManagementAdministrators,
  ManagementApplications,
  ManagementDevices,
  ManagementOrganization,
} from './management-organization.js'
export { SessionInfo } from './session-info.js'
export type { PassByMeOptions } from './connection.js'
export type { CertificateInfo, Material, PassByMeCredentials } from './credentials.js'
export { passByMeChannel, type PassByMeChannelOptions } from './channel.js'
export {
  PassByMeMessageType,
  PassByMeStatus,
  passByMeVerdict,
  type PassByMeRecipient,
  type PassByMeVerdict,
} from './wire.js'
export type {
  PassByMeAdministrator,
  PassByMeAlias,
  PassByMeApplication,
  PassByMeDevice,
  PassByMeEnrollment,
  PassByMeInvitation,
  PassByMeLimits,
  PassByMeOrganization,
  PassByMePage,
  PassByMeUser,
} from './management-wire.js'
