import type { OutgoingMail } from '../../users/email-gateway.js'
import { parseMailbox } from '../../users/mail-address.js'
import { codeIn } from '../sms/inbox.js'
import type { StandInContext } from '../stand-in.js'

/** Puts a mail into the mailbox of everybody it goes to. */
export function deliverMail({ hub, provider }: StandInContext, mail: OutgoingMail): void {
  const { from, subject, html } = mail
  const text = mail.text === '' ? readable(html) : mail.text
  const content = { from, subject, text, ...(html === '' ? {} : { html }), ...codeIn(text) }
  for (const to of new Set([...mail.to, ...mail.cc, ...mail.bcc].map(addressOf)))
    hub.deliver({ provider, kind: 'mail', to, ...content })
}

// A mailbox is found by its address, whatever name stands before it.
function addressOf(recipient: string): string {
  return parseMailbox(recipient)?.address ?? recipient
}

/** What somebody without an HTML reader would see of a mail; links as their addresses. */
function readable(html: string): string {
  return html
    .replaceAll(/<(script|style|head)\b.*?<\/\1\s*>/gis, '')
    .replaceAll(/<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>/gi, ' $1$2 ')
    .replaceAll(/<(br|\/p|\/div|\/h[1-6]|\/li|\/tr)\b[^>]*>/gi, '\n')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(amp|lt|gt|quot|#39|nbsp);/g, (_all, name: string) => entities[name] ?? ' ')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ ?\n\s*/g, '\n')
    .trim()
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
