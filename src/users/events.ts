/** What the user service reports. */
export type UserEventType =
  | 'login'
  | 'login.failed'
  | 'logout'
  | 'refresh'
  | 'refresh.replayed'
  | 'registered'
  | 'registration.refused'
  | 'user.updated'
  | 'user.deactivated'
  | 'user.reactivated'
  | 'roles.changed'
  | 'email.changed'
  | 'phone.changed'
  | 'password.changed'
  | 'password.reset'
  | 'reset.requested'
  | 'reset.refused'
  | 'sessions.ended'
  | 'phone.code.sent'
  | 'phone.code.failed'
  | 'phone.verified'
  | 'phone.verification.failed'
  | 'phone.test-number'
  | 'limited'

/**
 * One thing that happened, for the audit trail: who did what to whom, from where, and how it ended. It never holds a
 * password, a code, a token, a whole number or a whole address.
 */
export interface UserEvent {
  readonly type: UserEventType
  readonly at: Date
  /** Whom it is about, where that is known. */
  readonly userId?: number
  /** Who did it, where that is somebody else. */
  readonly actorId?: number
  /** The address of the client, as the limits see it. */
  readonly client?: string
  /** Masked: `a***@example.com`, `***42`. */
  readonly destination?: string
  readonly reason?: string
}
