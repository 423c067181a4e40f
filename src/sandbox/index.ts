export { startSandbox } from './sandbox.js'
export type { Sandbox, SandboxOptions } from './sandbox.js'
export type {
  AuthyCallbackTarget,
  AuthyRateLimit,
  AuthySandbox,
  AuthySandboxOptions,
  AuthySwitches,
  AuthyUserChanges,
  AuthyUserView,
  CallbackAttempt,
  NumberInfo,
} from './authy/index.js'
export type { SandboxClock } from './clock.js'
export type { ActiveFault, CallbackChange, Fault, Faults } from './faults.js'
export type { MessageFilter, Phone, PushFilter, WaitOptions } from './phone/phone.js'
export type {
  DeviceCode,
  Enrolment,
  PhoneDetail,
  PhoneDevice,
  PhoneMessage,
  PhonePush,
  PhoneSafeBox,
  Presence,
  PushStatus,
} from './phone/model.js'
export type { ActiveconnectQuirks, ActiveconnectSandbox, ActiveconnectSandboxOptions } from './activeconnect/index.js'
export type { GatewaysSandbox, GatewaysSandboxOptions } from './gateways/index.js'
export type { ClickatellSandbox } from './sms/clickatell.js'
export type { TwilioSandbox } from './sms/twilio.js'
export type { PassByMeQuirks, PassByMeSandbox, PassByMeSandboxOptions } from './passbyme/index.js'
export type {
  SafeBoxView,
  SendSecureQuirks,
  SendSecureSandbox,
  SendSecureSandboxOptions,
  SendSecureSettings,
} from './sendsecure/index.js'
