export { userService, type UserService } from './user-service.js'
export type { LimitName, UserServiceOptions } from './user-service-options.js'
export type { UserAccounts } from './accounts.js'
export type { UserAdministration } from './administration.js'
export type { Outcome, Refused } from './outcome.js'
export type { PublicUser } from './public-user.js'
export type { LoginFacts } from './tokens.js'
export type { TokenVerification, UserTokens } from './token-service.js'
export type { SigningAlgorithm, TokenKey, UserServiceKeys } from './keys.js'
export type { UserEvent, UserEventType } from './events.js'
export type { Limit } from './limits.js'
export type { ServiceHandler } from './routing.js'
export type { SecondFactor } from './second-factor.js'
export type { MailSender, SmsMessage, SmsOutcome, SmsSender, TemplateMail } from './senders.js'
export { affoMailSender, affoSmsSender, type GatewaySenderOptions } from './affo-senders.js'
export { argon2Hasher, type Argon2Options, type PasswordHasher } from './password-hasher.js'
export { randomCode, type CodeGenerator, type PhoneVerification } from './verification.js'
export {
  emailKey,
  type InsertOutcome,
  type NewUser,
  type UpdateOutcome,
  type UserChanges,
  type UserCondition,
  type UserPage,
  type UserRecord,
  type UserStore,
} from './user-store.js'
export {
  clickatellGateway,
  twilioGateway,
  type ClickatellGatewayOptions,
  type TwilioGatewayOptions,
} from './sms-gateways.js'
export { roundRobin, type RoundRobinOptions, type SmsAttempt } from './round-robin.js'
export { mailRoundRobin, type MailAttempt, type MailRoundRobinOptions } from './mail-round-robin.js'
export type { RingOptions } from './gateway-ring.js'
export { smsGateway, type SmsGatewayOptions } from './sms-gateway.js'
export {
  emailGateway,
  type EmailGateway,
  type EmailGatewayOptions,
  type MailTransport,
  type OutgoingMail,
} from './email-gateway.js'
export type { MailTemplate } from './mail-templates.js'
export type { GatewayCredential } from './credentials.js'
export { provisionUsers, type ProvisionedAccount, type ProvisionOptions, type ProvisionOutcome } from './provision.js'
export { requireRole, type RequireRoleOptions, type RoleRefusal } from './require-role.js'
export { dummySmsSender, nodemailerTransport, templateMailSender, type MailTransporter } from './mail-senders.js'
export { authyVerification, type AuthyPhonesClient, type AuthyVerificationOptions } from './authy-verification.js'
export { importUsers, type ImportOptions, type ImportOutcome, type OriginalUserRow } from './import-users.js'
