import { Router, type Request } from 'express'
import { cancelApproval, safeReturnPath } from 'passport-outofband/middleware'
import { signedInAccount, type Account } from '../accounts.js'
import type { Bank } from '../bank.js'
import { choosePage, methodsOf } from '../pages/second-factor.js'
import { handle } from './async.js'
import { codeHandler, finishHandler, pushHandler, sendCode, waitingHandler, type Place } from './second-factor.js'

const place: Place = { base: '/step-up', kind: 'step-up', waiting: '/step-up/waiting', home: '/account' }

/** Proving a factor again, for pages that want it fresh. */
export function stepUpRoutes(bank: Bank): Router {
  const router = Router()

  router.get(
    place.base,
    handle(async (req, res) => {
      const account = await accountOf(req)
      if (!account) {
        res.redirect(303, '/sign-in')
        return
      }
      req.session.returnTo = safeReturnPath(req.query['return_to']) ?? place.home
      res.send(chooseFor(account))
    }),
  )
  router.post(`${place.base}/push`, pushHandler(place, 'authy'))
  for (const [name, channel] of Object.entries(bank.providers)) {
    if (channel) router.post(`${place.base}/${name}`, pushHandler(place, name))
  }
  router.post(`${place.base}/code`, codeHandler(place, accountOf, chooseFor))
  router.post(`${place.base}/send`, sendCode(bank, place, accountOf, chooseFor))
  router.get(`${place.waiting}/:id`, waitingHandler(bank, place))
  router.post(`${place.waiting}/:id`, finishHandler(bank, place))
  router.post(`${place.waiting}/:id/cancel`, cancelApproval({ approvals: bank.approvals }), (_req, res) => {
    res.redirect(303, place.base)
  })
  return router
}

async function accountOf(req: Request): Promise<Account | undefined> {
  return req.isAuthenticated() ? signedInAccount(req) : undefined
}

function chooseFor(account: Account, error?: string, info?: string): string {
  return choosePage({
    base: place.base,
    title: 'Is it still you?',
    lead: 'This page wants a fresh answer from your phone.',
    methods: methodsOf(account, null),
    error,
    info,
  })
}
