import { Router, type Request, type RequestHandler } from 'express'
import passport from 'passport'
import {
  approvalStatus,
  beginSecondFactor,
  cancelApproval,
  deviceOf,
  pendingLogin,
  signOut,
} from 'passport-outofband/middleware'
import { hasPhone, type Account } from '../accounts.js'
import type { Bank } from '../bank.js'
import { choosePage, methodsOf } from '../pages/second-factor.js'
import { signInPage } from '../pages/sign-in.js'
import { formField, handle } from './async.js'
import { secondFactorPolicy } from './policy.js'
import { codeHandler, finishHandler, pushHandler, sendCode, waitingHandler, type Place } from './second-factor.js'

const place: Place = {
  base: '/sign-in/second-factor',
  kind: 'sign-in',
  waiting: '/sign-in/waiting',
  home: '/account',
}

/** Signing in: the password, then the second factor; and signing out. */
export function signInRoutes(bank: Bank): Router {
  const { approvals, assurances } = bank
  const router = Router()

  router.get('/sign-in', (req, res) => {
    if (req.isAuthenticated()) res.redirect(303, '/account')
    else res.send(signInPage({}, undefined, req.query['out'] === undefined ? undefined : 'You are signed out.'))
  })
  router.post(
    '/sign-in',
    checkPassword(bank),
    beginSecondFactor({ assurances, policy: secondFactorPolicy, secondFactorPath: place.base }),
  )

  router.get(
    place.base,
    handle(async (req, res) => {
      const account = await waitingAccount(bank, req)
      if (!account) {
        res.redirect(303, '/sign-in')
        return
      }
      if (!hasPhone(account)) {
        res.redirect(303, '/enrol')
        return
      }
      res.send(chooseFor(account))
    }),
  )
  router.post(`${place.base}/push`, pushHandler(place, 'authy'))
  for (const [name, channel] of Object.entries(bank.providers)) {
    if (channel) router.post(`${place.base}/${name}`, pushHandler(place, name))
  }
  router.post(
    `${place.base}/code`,
    codeHandler(place, async (req) => waitingAccount(bank, req), chooseFor),
  )
  router.post(
    `${place.base}/send`,
    sendCode(bank, place, async (req) => waitingAccount(bank, req), chooseFor),
  )
  router.get(`${place.waiting}/:id`, waitingHandler(bank, place))
  router.post(`${place.waiting}/:id`, finishHandler(bank, place))
  router.post(`${place.waiting}/:id/cancel`, cancelApproval({ approvals }), (_req, res) => {
    res.redirect(303, place.base)
  })
  router.get('/approvals/:id/status', approvalStatus({ approvals }))

  router.post('/sign-out', signOut({ assurances, approvals }), (_req, res) => {
    res.redirect(303, '/sign-in?out')
  })
  return router
}

/** The account of a login that has its password and waits for the second factor. */
export async function waitingAccount({ stores, assurances }: Bank, req: Request): Promise<Account | undefined> {
  const login = await pendingLogin(req, assurances)
  return login && stores.accounts.find(login.subject)
}

function chooseFor(account: Account, error?: string, info?: string): string {
  return choosePage({
    base: place.base,
    title: 'One more step',
    lead: `Hello ${account.name}. Show us that it is you.`,
    methods: methodsOf(account, account.phone_ending),
    error,
    info,
  })
}

function checkPassword({ limits }: Bank): RequestHandler {
  return handle(async (req, res, next) => {
    const email = formField(req, 'email')
    const permit = await limits.begin({
      subject: `e-mail:${email.toLowerCase()}`,
      address: req.ip,
      device: deviceOf(req),
      factor: 'password',
    })
    if (!permit.allowed) {
      res.setHeader('Retry-After', permit.retryAfterSeconds)
      res.status(429).send(signInPage({ email }, `Too many tries. Please wait ${permit.retryAfterSeconds} seconds.`))
      return
    }
    const finish = (error: unknown, user: Account | false | undefined): void => {
      if (error) return next(error)
      if (!user) {
        res.status(401).send(signInPage({ email }, 'E-mail or password are not right.'))
        return
      }
      req.user = user
      permit.succeeded().then(() => {
        next()
      }, next)
    }
    const authenticate = passport.authenticate('local', { session: false }, finish) as RequestHandler
    await authenticate(req, res, next)
  })
}
