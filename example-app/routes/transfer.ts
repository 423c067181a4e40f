import { Router, type Request, type RequestHandler } from 'express'
import { ApprovalNotFoundError, InvalidInputError, type JsonObject, type JsonValue } from 'passport-outofband'
import {
  approvalOf,
  cancelApproval,
  requireApproval,
  requireFactor,
  resubmitForm,
  sessionApproval,
  type OnRefused,
} from 'passport-outofband/middleware'
import { signedInAccount, type Account } from '../accounts.js'
import type { Bank } from '../bank.js'
import { centsOf, isIban, money } from '../money.js'
import { endPage, waitingPage } from '../pages/second-factor.js'
import { transferDonePage, transferPage } from '../pages/transfer.js'
import { NotCoveredError, type TransferOrder } from '../transfers.js'
import { formField, handle } from './async.js'
import { LARGE_TRANSFER_CENTS, secondFactorPolicy } from './policy.js'

const OFFICERS_NEEDED = 2

/** Transfers: each is approved for itself, on the person's own phone or by two officers of the bank. */
export function transferRoutes(bank: Bank): Router {
  const { approvals, assurances, stores } = bank
  const router = Router()
  const own = ownApproval(bank)
  const byOfficers = officersApproval(bank)

  router.use('/transfer', (req, res, next) => {
    if (req.isAuthenticated()) next()
    else res.redirect(303, '/sign-in')
  })
  router.use('/transfer', requireFactor({ assurances, ...secondFactorPolicy, stepUpPath: '/step-up' }))

  router.get('/transfer', (req, res) => {
    res.send(form(req))
  })
  router.post(
    '/transfer',
    (req, res, next) => {
      const complaint = complaintOf(req, byOfficers !== undefined)
      if (complaint === undefined) next()
      else res.status(400).send(form(req, complaint))
    },
    (req, res, next) => {
      // Chosen by what is in this request: an amount that grew since the own phone approved it needs the officers.
      if (byOfficers && isLarge(orderOf(req).amountCents)) byOfficers(req, res, next)
      else own(req, res, next)
    },
    handle(async (req, res) => {
      const { id, subject } = approvalOf(req)
      // The same as is bound: with anything else in the request the approval would not have let it through.
      const order = orderOf(req)
      try {
        await stores.transfers.book(id, subject, order)
      } catch (error) {
        if (!(error instanceof NotCoveredError)) throw error
        res.status(409).send(ended('Not covered', 'There is not enough in your account, so nothing has moved.'))
        return
      }
      res.send(transferDonePage({ name: signedInAccount(req)?.name ?? '', ...order }))
    }),
  )
  router.get('/transfer/waiting/:id', waiting(bank))
  router.post('/transfer/waiting/:id/cancel', cancelApproval({ approvals }), (_req, res) => {
    res.redirect(303, '/transfer')
  })
  router.get('/transfer/ended', (_req, res) => {
    res.send(ended('Not transferred', 'The transfer was denied, or nobody answered in time. Nothing has moved.'))
  })
  return router
}

/** Nobody was asked, or what was approved can't be used: said in a page. */
const refused: OnRefused = (refusal, _req, res) => {
  const text =
    refusal.status === 429
      ? 'Another question waits for an answer, or there were too many. Please answer it, or try again in a few minutes.'
      : `${refusal.title}.`
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.end(ended('Not transferred', `${text} Nothing has moved.`))
}

/** One person, on the own phone. */
function ownApproval({ accounts, approvals, stores }: Bank): RequestHandler {
  return requireApproval({
    approvals,
    state: stores.state,
    channel: (req: Request) => {
      const account = signedInAccount(req)
      return (account && phoneOf(account)?.channel) ?? 'authy'
    },
    purpose: 'transfer',
    bind: orderOf,
    message: questionOf,
    reference: async (subject) => {
      const account = await accounts.find(subject)
      return account && phoneOf(account)?.reference
    },
    waitingPath: '/transfer/waiting/:id',
    deniedPath: '/transfer/ended',
    onRefused: refused,
  })
}

/** Any two of the officers. Nothing without PassBy[ME]. */
function officersApproval({ accounts, approvals, stores, providers }: Bank): RequestHandler | undefined {
  const officers = providers.passbyme?.officers ?? []
  if (officers.length < OFFICERS_NEEDED) return undefined
  return requireApproval({
    approvals,
    state: stores.state,
    channel: 'passbyme',
    purpose: 'large-transfer',
    bind: orderOf,
    message: questionOf,
    recipients: () => officers.map((reference) => ({ subject: `officer:${reference}`, reference })),
    rule: { atLeast: OFFICERS_NEEDED },
    // An officer doesn't count for their own transfer, under any alias.
    reference: async (subject) => (await accounts.find(subject))?.passbyme_id,
    ttlSeconds: 600,
    waitingPath: '/transfer/waiting/:id',
    deniedPath: '/transfer/ended',
    onRefused: refused,
  })
}

function waiting({ approvals, stores, providers }: Bank): RequestHandler {
  return handle(async (req, res) => {
    const id = String(req.params['id'])
    const approval = await sessionApproval(req, approvals, id).catch((error: unknown) => {
      if (error instanceof ApprovalNotFoundError) return undefined
      throw error
    })
    const again = await resubmitForm(req, id, { state: stores.state })
    if (!approval || !again) {
      res.redirect(303, '/transfer')
      return
    }
    const officers = providers.passbyme?.officers.length ?? 0
    const isLarge = approval.purpose === 'large-transfer'
    res.send(
      waitingPage({
        title: isLarge ? 'Officers are asked' : 'Check your phone',
        message: approval.message,
        code: approval.code,
        expiresAt: approval.expiresAt,
        statusUrl: `/approvals/${id}/status`,
        finishAction: again.action,
        fields: again.fields,
        cancelAction: `/transfer/waiting/${id}/cancel`,
        cancelLabel: 'Cancel the transfer',
        note: isLarge ? `${approval.needed} of ${officers} officers of the bank have to approve it.` : undefined,
      }),
    )
  })
}

/** Where a transfer can be shown to this person. Activeconnect carries no text. */
export function phoneOf(account: Account): { readonly channel: string; readonly reference: string } | undefined {
  if (account.passbyme_id !== null) return { channel: 'passbyme', reference: account.passbyme_id }
  if (account.authy_id !== null && account.has_app === 1) return { channel: 'authy', reference: account.authy_id }
  return undefined
}

/** What the request wants. Asked before the approval and again after it, and compared. */
function orderOf(req: Request): TransferOrder & JsonObject {
  const amountCents = centsOf(formField(req, 'amount', 12))
  if (amountCents === undefined) throw new InvalidInputError('amount', 'the amount is not one')
  return { amountCents, payee: formField(req, 'payee', 60), iban: ibanOf(req) }
}

function ibanOf(req: Request): string {
  return formField(req, 'iban', 42).replace(/\s/g, '').toUpperCase()
}

function questionOf({ amountCents, payee, iban }: JsonObject): string {
  return `Pay ${money(Number(amountCents))} to ${textOf(payee)}, ${textOf(iban)}?`
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function complaintOf(req: Request, hasOfficers: boolean): string | undefined {
  const account = signedInAccount(req)
  const amountCents = centsOf(formField(req, 'amount', 12))
  if (!isName(formField(req, 'payee', 60))) return 'Say whom the money is for.'
  if (!isIban(ibanOf(req))) return 'That is not an IBAN. Check it digit by digit.'
  if (amountCents === undefined) return 'That is not an amount. Write it like 250 or 12.50.'
  if (amountCents > (account?.balance_cents ?? 0)) return 'There is not that much in your account.'
  if (isLarge(amountCents)) return hasOfficers ? undefined : 'That is more than can be transferred online.'
  return account && phoneOf(account) ? undefined : 'Connect a phone first that can show what you approve.'
}

// Letters and what stands between them in names: nothing that could disturb the text on the phone.
function isName(text: string): boolean {
  return /^[\p{L}\p{M}\p{N} .,'’&/()-]+$/u.test(text)
}

function isLarge(amountCents: number): boolean {
  return amountCents >= LARGE_TRANSFER_CENTS
}

function form(req: Request, error?: string): string {
  const account = signedInAccount(req)
  return transferPage({
    name: account?.name ?? '',
    balanceCents: account?.balance_cents ?? 0,
    officersFromCents: LARGE_TRANSFER_CENTS,
    values: {
      amount: formField(req, 'amount', 12),
      payee: formField(req, 'payee', 60),
      iban: formField(req, 'iban', 42),
    },
    error,
    needsPhone: !account || phoneOf(account) === undefined,
  })
}

function ended(title: string, text: string): string {
  return endPage({ title, text, again: { href: '/transfer', label: 'Back to transfers' } })
}
