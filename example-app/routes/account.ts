import { Router, type Request, type RequestHandler } from 'express'
import { currentAssurance, requireFactor } from 'passport-outofband/middleware'
import { signedInAccount } from '../accounts.js'
import type { Bank } from '../bank.js'
import { accountPage, cardPage, suspendedPage } from '../pages/account.js'
import { handle } from './async.js'
import { cardPolicy } from './policy.js'

function newsOf({ query }: Request): string | undefined {
  if (query['password'] !== undefined) return 'Your password is changed. You are signed out everywhere else.'
  return query['number'] === undefined ? undefined : 'Your number is confirmed.'
}

/** What only the account's owner sees. */
export function accountRoutes({ assurances, stores, canText }: Bank): Router {
  const router = Router()
  const signedIn: RequestHandler = (req, res, next) => {
    if (req.isAuthenticated()) next()
    else res.redirect(303, '/sign-in')
  }

  router.get('/suspended', (req, res) => {
    if (req.isAuthenticated()) res.send(suspendedPage())
    else res.redirect(303, '/sign-in')
  })
  router.get(
    '/account',
    signedIn,
    handle(async (req, res) => {
      const account = signedInAccount(req)
      const assurance = await currentAssurance(req, assurances)
      // The login has ended on the server (too old, revoked): the session is an empty shell.
      if (!account || !assurance) {
        res.redirect(303, '/sign-in')
        return
      }
      const transfers = await stores.transfers.recent(account.id)
      res.send(
        accountPage({
          name: account.name,
          balanceCents: account.balance_cents,
          factors: assurance.factors.map(({ factor, at }) => ({ factor, at: new Date(at) })),
          transfers: transfers.map(({ payee, amount_cents }) => ({ payee, amountCents: amount_cents })),
          app: account.has_app === 1,
          phone: account.phone_ending ?? undefined,
          isAdmin: account.roles.includes('admin'),
          email: account.email,
          number: canText ? (account.phone ?? '') : undefined,
          info: newsOf(req),
        }),
      )
    }),
  )
  router.get('/card', signedIn, requireFactor({ assurances, ...cardPolicy, stepUpPath: '/step-up' }), (req, res) => {
    res.send(
      cardPage(signedInAccount(req)?.name ?? '', { number: '4929 1034 5678 2011', expires: '09/29', pin: '4711' }),
    )
  })
  return router
}
