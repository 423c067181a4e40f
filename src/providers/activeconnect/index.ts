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
