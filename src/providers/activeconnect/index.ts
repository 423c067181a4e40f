export {
  signActiveconnectRequest,
  verifyActiveconnectRequest,
  type ActiveconnectRefusal,
  type SignActiveconnectOptions,
  type SignedActiveconnectRequest,
  type VerifiedActiveconnectRequest,
  type VerifyActiveconnectOptions,
} from './signing.js'
export {
  ACTIVECONNECT_DIALECTS,
  type ActiveconnectDialect,
  type ActiveconnectKnobOptions,
  type ActiveconnectKnobs,
} from './signing-knobs.js'
export { ActiveconnectClient, type AuthenticateOptions, type SealSessionOptions } from './client.js'
export { ACTIVECONNECT_BASE_URL, type ActiveconnectClientOptions } from './client-options.js'
export { ActiveconnectSession } from './session.js'
export { ActiveconnectUsers, type RegistrationLinkOptions, type RegistrationSmsOptions } from './users.js'
export { type ActiveconnectSealingKey, type ActiveconnectSealScope } from './sealing.js'
export { ACTIVECONNECT_METHODS, ActiveconnectStatus, type ActiveconnectMethod } from './wire.js'
export { activeconnectChannel, type ActiveconnectChannelOptions } from './channel.js'
