export { AuthyClient, type AuthyClientOptions } from './client.js'
export { oneTouchChannel, type OneTouchChannelOptions } from './channel.js'
export type { AppDetails, AppStats, AuthyApplication } from './application.js'
export type { AuthyId, RequesterOptions } from './input.js'
export type { ApprovalRequest, ApprovalRequestInput, AuthyOneTouch, Logo } from './one-touch.js'
export type { PhoneInput } from './phone-number.js'
export type {
  AuthyPhones,
  CheckVerification,
  CodeVerdict,
  PhoneInfo,
  PhoneQuery,
  StartVerification,
  VerificationStarted,
  VerificationStatus,
  WhichVerification,
} from './phones.js'
export type { AuthyTokens, TokenDevice, TokenVerdict, VerifyOptions } from './tokens.js'
export type { AuthyUsers, CodeSent, Done, EmailSent, NewUser, UserStatus } from './users.js'
export type {
  ExportedPhone,
  ExportedSecret,
  QrCode,
  QrOptions,
  Registration,
  RegistrationInput,
  RegistrationStatus,
} from './users-enrolment.js'
export type { Activity, CallRequest, SmsRequest } from './users-input.js'
export { authyCodes } from './wire.js'
