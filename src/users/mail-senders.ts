import { InvalidOptionError, MailRefusedError, ProviderProtocolError, ProviderUnreachableError } from '../errors.js'
import type { MailTransport, OutgoingMail } from './email-gateway.js'
import { parseMailbox, type Mailbox } from './mail-address.js'
import { mailTemplates, type MailTemplate } from './mail-templates.js'
import type { MailSender, SmsMessage, SmsSender, TemplateMail } from './senders.js'

/** The part of a nodemailer transporter that is used. */
export interface MailTransporter {
  sendMail(mail: {
    from: Mailbox
    to: Mailbox[]
    cc: Mailbox[]
    bcc: Mailbox[]
    subject: string
    text: string
    html?: string
    disableFileAccess: boolean
    disableUrlAccess: boolean
  }): Promise<unknown>
}

/**
 * Delivers by SMTP, with a transporter that the application has made with nodemailer.
 *
 * @example
 * nodemailerTransport(createTransport({ host: 'smtp.example.com', port: 587, auth }))
 */
export function nodemailerTransport(transporter: MailTransporter): MailTransport {
  if (typeof Reflect.get(transporter, 'sendMail') !== 'function') {
    throw new InvalidOptionError('transporter', 'nodemailerTransport takes what createTransport of nodemailer returned')
  }
  return {
    async deliver({ from, to, cc, bcc, subject, text, html }: OutgoingMail): Promise<void> {
      const lists = { from: mailboxOf(from), to: to.map(mailboxOf), cc: cc.map(mailboxOf), bcc: bcc.map(mailboxOf) }
      // Nothing in a mail of ours is a path or a URL to be read.
      const closed = { disableFileAccess: true, disableUrlAccess: true }
      try {
        await transporter.sendMail({ ...lists, subject, text, ...(html === '' ? {} : { html }), ...closed })
      } catch (error) {
        throw smtpError(error)
      }
    },
  }
}

// Read here and handed on in parts, so that the mail library reads no address lists where one address is meant.
function mailboxOf(text: string): Mailbox {
  const mailbox = parseMailbox(text)
  if (mailbox === undefined) throw new MailRefusedError('smtp', 'an address is not one address')
  return mailbox
}

// The server's own text is left out, and so is the cause: both repeat the address, and these errors go to the log.
function smtpError(error: unknown): Error {
  const field = (name: string): unknown => (error instanceof Error ? Reflect.get(error, name) : undefined)
  const code = field('code')
  const status = field('responseCode')
  const name = typeof code === 'string' ? code : 'UNKNOWN'
  if (typeof status !== 'number') return new ProviderUnreachableError('smtp', name)
  if (field('command') === 'RCPT TO') return new MailRefusedError('smtp', `${status} for every address`)
  return new ProviderProtocolError('smtp', `the server answered ${status} (${name})`)
}

/** Makes the user service's mails from templates and hands them to a transport, without an e-mail gateway between. */
export function templateMailSender(
  transport: MailTransport,
  templates: Readonly<Record<string, MailTemplate>> = {},
): MailSender {
  const all = { ...mailTemplates, ...templates }
  return {
    async send({ template, from, to, subject, variables }: TemplateMail): Promise<void> {
      const make = Object.hasOwn(all, template) ? all[template] : undefined
      if (make === undefined) throw new MailRefusedError('templates', `there is no mail template '${template}'`)
      await transport.deliver({ from, to: [to], cc: [], bcc: [], subject, ...make(variables) })
    },
  }
}

/** Sends nothing and hands every message to a function: for the sandbox's phone, for development, for tests. */
export function dummySmsSender(onMessage: (message: SmsMessage) => void | Promise<void>): SmsSender {
  return {
    name: 'dummy',
    async send(message) {
      await onMessage(message)
      return { status: 'sent', gateway: 'dummy' }
    },
  }
}
