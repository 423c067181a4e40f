/** What the simulated phone shows. All times are milliseconds since the epoch on the sandbox's clock. */

export type PushStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'failed'

/** One question on somebody's phone. */
export interface PhonePush {
  /** Unique among all providers, and safe in a URL. */
  readonly id: string
  readonly provider: string
  /** Who is asked, in the provider's words: a phone number, an e-mail address, an id. */
  readonly recipient: string
  /** The provider's id of that person, where it is another one. */
  readonly reference?: string
  readonly message: string
  readonly status: PushStatus
  /** A heading above the message, such as the application's name. */
  readonly title?: string
  /** What else the person sees, in order. */
  readonly details: readonly PhoneDetail[]
  /** A code that the person compares with the one in the browser. */
  readonly compareCode?: string
  /** What may be done now. `approve` and `deny` while it is pending; a provider may know more, such as `report`. */
  readonly actions: readonly string[]
  readonly createdAt: number
  /** Null: never. */
  readonly expiresAt: number | null
}

export interface PhoneDetail {
  readonly label: string
  readonly value: string
}

/** A text, a call or a mail that arrived. */
export interface PhoneMessage {
  readonly id: string
  readonly provider: string
  readonly kind: 'sms' | 'voice' | 'mail'
  /** E.164 number or address. */
  readonly to: string
  /** Who sent it, where that is known: a name, a number or an address. */
  readonly from?: string
  /** Which gateway brought it, where a service has several. */
  readonly via?: string
  readonly subject?: string
  readonly text: string
  /** The HTML part of a mail, where it has one. The page never shows it. */
  readonly html?: string
  /** The http and https addresses in the text, in order. */
  readonly links: readonly string[]
  /** The code that the text carries, when it carries one. */
  readonly code?: string
  /** A link that the person opens on the phone: {@link Enrolment.link}. */
  readonly link?: string
  readonly receivedAt: number
}

/** An enrolled device. */
export interface PhoneDevice {
  /** Unique among all providers, and safe in a URL. */
  readonly id: string
  readonly provider: string
  /** Whose it is, in the provider's words. */
  readonly owner: string
  /** The provider's id of that person, where it is another one. */
  readonly reference?: string
  readonly name: string
  /** Given where the provider knows nearness. */
  readonly presence?: Presence
  /** True when `code` works: the device shows one-time codes. */
  readonly showsCode: boolean
  readonly enrolledAt: number
}

export type Presence = 'near' | 'away'

/** The code that a device shows at the moment. */
export interface DeviceCode {
  readonly code: string
  readonly expiresAt: number
}

/** A SafeBox that was sent. */
export interface PhoneSafeBox {
  readonly id: string
  readonly provider: string
  readonly subject: string
  readonly recipients: readonly string[]
  /** Where each recipient opens it. */
  readonly openings: readonly { readonly recipient: string; readonly link: string }[]
  readonly status: string
  readonly attachments: readonly { readonly name: string; readonly size: number }[]
  readonly createdAt: number
}

/** How a person puts an account on the phone. */
export interface Enrolment {
  /** Left out: whoever recognises the rest. */
  readonly provider?: string | undefined
  /** The link that was opened, or the text of the QR code that was scanned. */
  readonly link?: string | undefined
  /** The phone number, where the account is found by it. */
  readonly phone?: string | undefined
  /** Calling code, when `phone` is a national number. */
  readonly countryCode?: string | undefined
  /** The provider's id of the person, where the account is found by it: an Authy id. */
  readonly reference?: string | undefined
  /** A name for the device. */
  readonly name?: string | undefined
}
