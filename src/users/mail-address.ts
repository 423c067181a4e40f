/** One mailbox: where a mail goes, and the name that is shown with it. */
export interface Mailbox {
  readonly name: string
  readonly address: string
}

// Stricter than RFC 5322 on purpose: no lists, groups, comments, quoted local parts or literals. Programs disagree about
// where such a text leads, and a mail server that reads two addresses in it sends two mails.
const address = String.raw`[^\s\p{C}<>()[\]\\,;:@"]{1,64}@[^\s\p{C}<>()[\]\\,;:@"]{1,255}`
const name = String.raw`"([^\p{C}"\\<>@]{0,200})"|([^\p{C}"\\<>@,;:()[\]]{0,200}?)`
const mailbox = new RegExp(`^(?:(?:${name}) ?<(${address})>|(${address}))$`, 'u')

/** Reads `ada@example.com` or `Ada <ada@example.com>`; undefined for anything else. */
export function parseMailbox(text: string): Mailbox | undefined {
  const match = mailbox.exec(text)
  if (match === null) return undefined
  const [, quoted, plain, bracketed, bare] = match
  return { name: quoted ?? plain ?? '', address: bracketed ?? bare ?? '' }
}
