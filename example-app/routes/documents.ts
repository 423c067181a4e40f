import { Router, type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import {
  AttachmentRefusedError,
  InvalidInputError,
  ProviderRejectedError,
  ProviderTimeoutError,
  ProviderUnreachableError,
} from 'passport-outofband'
import { requireFactor, sendAttachments } from 'passport-outofband/middleware'
import type { CommittedSafeBox, NewParticipant, SafeBoxDraft, SendSecureClient } from 'passport-outofband/sendsecure'
import { signedInAccount, type Account } from '../accounts.js'
import type { Bank } from '../bank.js'
import { documentPage, documentsPage } from '../pages/documents.js'
import type { SafeBoxService } from '../safebox-service.js'
import { handle } from './async.js'
import { documentsPolicy } from './policy.js'

/** Sending documents as SafeBoxes, and seeing what became of them. Nothing of it without the customer's phone. */
export function documentRoutes(bank: Bank, service: SafeBoxService): Router {
  const { documents } = bank.stores
  const router = Router()
  router.use('/documents', requireFactor({ assurances: bank.assurances, ...documentsPolicy, stepUpPath: '/step-up' }))

  router.get(
    '/documents',
    handle(async (req, res) => {
      await show(req, res)
    }),
  )
  // Asked by the script first: a refusal in the middle of an upload may not reach a browser that is still sending.
  router.get(
    '/documents/check',
    handle(async (req, res) => {
      const { name, size } = req.query
      const bytes = typeof size === 'string' && /^\d{1,15}$/.test(size) ? Number(size) : undefined
      await service.use(async (client) => {
        client.checkLimits(await client.getEnterpriseSettings(), typeof name === 'string' ? name : '', bytes)
      })
      res.sendStatus(204)
    }),
  )
  router.get(
    '/documents/:guid',
    handle(async (req, res, next) => {
      const account = accountOf(req)
      const guid = req.params['guid']
      const sent = typeof guid === 'string' ? await documents.find(account.id, guid) : undefined
      if (!sent) {
        next()
        return
      }
      const safebox = await service.use((client) => client.getSafebox(sent.guid))
      res.send(documentPage({ name: account.name, sent, safebox, isNew: req.query['sent'] !== undefined }))
    }),
  )
  router.post('/documents', upload(bank, service, list))
  router.use('/documents', refusals)
  return router

  async function show(req: Request, res: Response, error?: string): Promise<void> {
    res.send(await list(req, error))
  }

  async function list(req: { readonly user?: unknown }, error?: string): Promise<string> {
    const account = accountOf(req)
    return documentsPage({ name: account.name, sent: await documents.list(account.id), error })
  }

  /** What went wrong with sending, in words for the person: in the page, or for the script. */
  function refusals(error: unknown, req: Request, res: Response, next: NextFunction): void {
    const refusal = wordsFor(error)
    if (!refusal || res.headersSent) {
      next(error)
      return
    }
    res.status(refusal.status)
    if (req.accepts(['html', 'json']) !== 'html') res.json({ detail: refusal.text })
    else show(req, res, refusal.text).catch(next)
  }
}

/** The page of sent documents, with what went wrong. */
type DocumentList = (req: { readonly user?: unknown }, error?: string) => Promise<string>

const refusalWords: Readonly<Record<number, string>> = {
  413: 'This file is too large.',
  415: 'Files of this type cannot be sent.',
  422: 'The service has refused this file: it looks infected.',
}

/** Streams the form through: the bank never holds more than a few hundred kilobytes of it. */
function upload({ stores }: Bank, service: SafeBoxService, list: DocumentList): RequestHandler {
  const handlers = new WeakMap<SendSecureClient, ReturnType<typeof sendAttachments>>()
  // The answer to a commit need not list the participants.
  const recipients = new WeakMap<object, string>()
  const handlerFor = (client: SendSecureClient): ReturnType<typeof sendAttachments> =>
    sendAttachments<Omit<SafeBoxDraft, 'attachments'>, CommittedSafeBox>({
      client,
      maxFiles: 1,
      maxFields: 5,
      draft: (req, { fields }) => {
        const guest = recipient(fields)
        recipients.set(req, guest.email)
        return {
          userEmail: service.userEmail,
          participants: [guest],
          subject: required(fields, 'subject', 120),
          message: `${accountOf(req).name} sends you a document through Larch Bank.`,
        }
      },
      // The script says how large the file is, so that the size is announced to the service too.
      expected: (_req, { fields }) =>
        /^\d{1,15}$/.test(fields['size'] ?? '') ? { size: Number(fields['size']) } : undefined,
      onSent: async (safebox, req, res) => {
        const { guid, subject } = safebox
        await stores.documents.add(accountOf(req).id, {
          guid,
          subject: subject ?? '',
          recipient: recipients.get(req) ?? '',
        })
        const location = `/documents/${encodeURIComponent(guid)}?sent`
        res.setHeader('Location', location)
        res.statusCode = req.headers['accept'] === 'application/json' ? 201 : 303
        res.end()
      },
      // Without script: the same words that the script has.
      onRefused: async ({ status }, req, res) => {
        res.setHeader('Content-Type', 'text/html; charset=utf-8')
        res.end(await list(req, refusalWords[status] ?? 'The form did not come completely. Please try again.'))
      },
    })
  return (req, res, next) => {
    service.client().then((client) => {
      const handler = handlers.get(client) ?? handlerFor(client)
      handlers.set(client, handler)
      handler(req, res, next)
    }, next)
  }
}

type Fields = Readonly<Partial<Record<string, string>>>

function recipient(fields: Fields): NewParticipant {
  const email = required(fields, 'email', 254)
  const destination = required(fields, 'mobile', 24).replace(/[\s().-]/g, '')
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    throw new InvalidInputError('email', 'That e-mail address does not look right.')
  if (!/^\+[1-9]\d{6,14}$/.test(destination))
    throw new InvalidInputError('mobile', 'Give the mobile number with its country code, such as +1 514 555 0111.')
  return { email, guestOptions: { contactMethods: [{ destination, destinationType: 'cell_phone' }] } }
}

function required(fields: Fields, name: string, maxLength: number): string {
  const value = fields[name]?.trim() ?? ''
  if (value === '' || value.length > maxLength) throw new InvalidInputError(name, `Please fill in the ${name}.`)
  return value
}

function accountOf(req: { readonly user?: unknown }): Account {
  const account = signedInAccount(req)
  if (!account) throw new Error('requireFactor has let somebody in who is not signed in')
  return account
}

function wordsFor(error: unknown): { readonly status: number; readonly text: string } | undefined {
  if (error instanceof AttachmentRefusedError) {
    const status = error.reason === 'extension' ? 415 : 413
    return { status, text: refusalWords[status] ?? '' }
  }
  if (error instanceof InvalidInputError) return { status: 400, text: error.message }
  const isOutage =
    error instanceof ProviderTimeoutError ||
    error instanceof ProviderUnreachableError ||
    (error instanceof ProviderRejectedError && error.status >= 500)
  if (isOutage)
    return { status: 503, text: 'The document service does not answer right now. Please try again in a minute.' }
  return undefined
}
