import 'express-session'

declare module 'express-session' {
  interface SessionData {
    /** Whose password was right in this session: worth nothing as soon as the user service ends their sessions. */
    userKey?: string
    /** Where the person wanted to go when step-up was asked for. */
    returnTo?: string
    /** The number that a code was texted to. */
    phoneToVerify?: string
    /** The name under which a new phone announces itself at Authy. */
    enrolmentId?: string
    /** A new phone at PassBy[ME]: the user that it is for. */
    passbymeUser?: { readonly oid: string; readonly userId: string }
    /** A new phone at Activeconnect: the token that it is for. */
    activeconnectUser?: string
  }
}
