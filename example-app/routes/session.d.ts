import 'express-session'

declare module 'express-session' {
  interface SessionData {
    /** Where the person wanted to go when step-up was asked for. */
    returnTo?: string
    /** The name under which a new phone announces itself at Authy. */
    enrolmentId?: string
  }
}
