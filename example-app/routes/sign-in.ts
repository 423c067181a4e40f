import { Router, type Request, type RequestHandler } from 'express'
import passport from 'passport'
import { approvalStatus, beginSecondFactor, cancelApproval, pendingLogin, signOut } from 'passport-outofband/middleware'
import type { Outcome, PublicUser } from 'passport-outofband/users'
import type { Account } from '../accounts.js'
import type { Bank } from '../bank.js'
import { hasPhone } from '../customers.js'
import { choosePage, methodsOf } from '../pages/second-factor.js'
import { signInPage } from '../pages/sign-in.js'
import { formField, handle } from './async.js'
import { secondFactorPolicy } from './policy.js'
import { codeHandler, finishHandler, pushHandler, sendCode, waitingHandler, type Place } from './second-factor.js'
import { waitText } from './wait-text.js'

const place: Place = {
  base: '/sign-in/second-factor',
  kind: 'sign-in',
  waiting: '/sign-in/waiting',
  home: '/account',
}

/** Signing in: the password, then the second factor; and signing out. */
export function signInRoutes(bank: Bank): Router {
  const { approvals, assurances, canReset } = bank
  const router = Router()

  router.get('/sign-in', (req, res) => {
    if (req.isAuthenticated()) res.redirect(303, '/account')
    else res.send(signInPage({ canReset }, undefined, greetingOf(req)))
  })
  router.post(
    '/sign-in',
    checkPassword(bank),
    beginSecondFactor({ assurances, policy: secondFactorPolicy, secondFactorPath: place.base, keep: ['userKey'] }),
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
export async function waitingAccount({ accounts, assurances }: Bank, req: Request): Promise<Account | undefined> {
  const login = await pendingLogin(req, assurances)
  // Not for a password that was changed since.
  return login && accounts.ofSession(req.session.userKey, login.subject)
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

function greetingOf({ query }: Request): string | undefined {
  if (query['out'] !== undefined) return 'You are signed out.'
  return query['new'] === undefined ? undefined : 'Your new password is set. Sign in with it.'
}

function checkPassword({ accounts, canReset }: Bank): RequestHandler {
  return handle(async (req, res, next) => {
    const finish: PasswordOutcome = (error, _user, info) => {
      const outcome = info?.outcome
      if (error) return next(error)
      if (outcome?.ok === true) {
        accounts.of(outcome.user).then((account) => {
          beginWith(req, account)
          next()
        }, next)
        return
      }
      const { status, text, retryAfterSeconds } = complaintOf(outcome)
      if (retryAfterSeconds !== undefined) res.setHeader('Retry-After', retryAfterSeconds)
      res.status(status).send(signInPage({ email: formField(req, 'email'), canReset }, text))
    }
    const authenticate = passport.authenticate('local', { session: false }, finish) as RequestHandler
    await authenticate(req, res, next)
  })
}

type PasswordOutcome = (
  error: unknown,
  user: unknown,
  info: { readonly outcome?: Outcome<{ readonly user: PublicUser }> } | undefined,
) => void

/** Puts somebody on the request whose password was right; what follows is the second factor. */
export function beginWith(req: Request, account: Account): void {
  req.user = account
  req.session.userKey = account.sessionKey
}

function complaintOf(outcome: Outcome | undefined): {
  readonly status: number
  readonly text: string
  readonly retryAfterSeconds?: number
} {
  const wrong = 'E-mail or password are not right.'
  if (outcome?.ok !== false) return { status: 401, text: wrong }
  const { status, code, retryAfterSeconds = 1 } = outcome
  if (status === 429 || status === 503)
    return { status, text: `Too many tries. Please wait ${waitText(retryAfterSeconds)}.`, retryAfterSeconds }
  if (code === 'InvalidUserError') return { status, text: 'This account is closed. Talk to us if that is a surprise.' }
  return { status: 401, text: wrong }
}
