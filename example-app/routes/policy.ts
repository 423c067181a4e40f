/** What a login needs beside the password. */
export const secondFactorPolicy = { anyOf: ['push', 'passbyme', 'activeconnect', 'totp', 'sms', 'call'] } as const

/** From here on, in cents, two officers of the bank have to approve a transfer. */
export const LARGE_TRANSFER_CENTS = 1_000_000

/** What the card's details need: the phone, and not long ago. Texts and calls are too weak for it. */
export const cardPolicy = { anyOf: ['push', 'passbyme', 'activeconnect', 'totp'], maxAgeSeconds: 300 } as const

/** What sending and seeing documents needs: the phone, within the last quarter of an hour. */
export const documentsPolicy = { anyOf: ['push', 'passbyme', 'activeconnect', 'totp'], maxAgeSeconds: 900 } as const
