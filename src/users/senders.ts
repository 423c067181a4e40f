/** A text message to one phone. */
export interface SmsMessage {
  /** Who it comes from, as the gateway knows it. */
  readonly from: string
  /** The number, normalised. */
  readonly to: string
  readonly text: string
  /** The user asked for it again: another gateway is to be taken. */
  readonly retry: boolean
}

/** What became of a text message. */
export type SmsOutcome =
  | { readonly status: 'sent'; readonly gateway?: string }
  /** The number can't be reached by anybody: final, no other gateway is tried. */
  | { readonly status: 'invalid-number'; readonly description: string; readonly gateway?: string }
  /** The gateway failed, refused or did not answer. `reason` is for the log and holds no secret. */
  | { readonly status: 'failed'; readonly reason: string; readonly gateway?: string }

/** Delivers text messages. Never throws for what a gateway does; a failure is an outcome. */
export interface SmsSender {
  readonly name: string
  send(message: SmsMessage): Promise<SmsOutcome>
}

/** A mail made from a template. */
export interface TemplateMail {
  /** `password_reset`, `registration`, `already_registered`, `password_changed`, `email_changed`, `phone_changed`, `new_device`, `login_failures`. */
  readonly template: string
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly variables: Readonly<Record<string, string | null>>
  readonly tag: string
}

/** Delivers mails. Rejects when it could not hand the mail over; nobody but the log hears of that. */
export interface MailSender {
  send(mail: TemplateMail): Promise<void>
}
