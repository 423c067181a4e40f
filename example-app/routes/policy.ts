/** What a login needs beside the password. */
export const secondFactorPolicy = { anyOf: ['push', 'totp', 'sms', 'call'] } as const

/** What the card's details need: the phone, and not long ago. Texts and calls are too weak for it. */
export const cardPolicy = { anyOf: ['push', 'totp'], maxAgeSeconds: 300 } as const
