import type { NextFunction, Request, RequestHandler, Response } from 'express'
import passport from 'passport'
import { ApprovalNotFoundError, ProviderRateLimitedError, rememberDelivery, SendLimitedError } from 'passport-outofband'
import { safeReturnPath, sessionApproval } from 'passport-outofband/middleware'
import type { Account } from '../accounts.js'
import type { Bank } from '../bank.js'
import { endPage, waitingPage } from '../pages/second-factor.js'
import { strategyOf } from '../strategies.js'
import { formField, handle } from './async.js'
import { waitText } from './wait-text.js'

/** One of the two places where a second factor is asked for: signing in, and step-up. */
export interface Place {
  /** The page with the choice; its forms lead below it. */
  readonly base: string
  readonly kind: 'sign-in' | 'step-up'
  /** The waiting page, without the id. */
  readonly waiting: string
  /** Where to go when nothing else was asked for. */
  readonly home: string
}

type AccountOf = (req: Request) => Promise<Account | undefined>
type Choose = (account: Account, error?: string, info?: string) => string

/** What a strategy of ours says of a failure. */
interface FailureInfo {
  readonly message?: string
  readonly reason?: string
  readonly retryAfterSeconds?: number
}

type Outcome = (error: unknown, user: Account | false | null, info: FailureInfo | undefined, status?: number) => void

/** Sends a push, over one of the channels. */
export function pushHandler(place: Place, channel: string): RequestHandler {
  return (req, res, next) => {
    // Signed in already, in another window perhaps: there is nothing to ask for.
    if (place.kind === 'sign-in' && req.isAuthenticated()) {
      res.redirect(303, place.home)
      return
    }
    answerPush(place, channel, req, res, next)
  }
}

/** Finishes what the waiting page waited for. Never sends another push: a second window that comes late only moves on. */
export function finishHandler(bank: Bank, place: Place): RequestHandler<{ id: string }> {
  return (req, res, next) => {
    sessionApproval(req, bank.approvals, req.params.id).then(
      ({ channel }) => {
        answerPush(place, channel, req, res, next)
      },
      (error: unknown) => {
        if (error instanceof ApprovalNotFoundError) moveOn(place, req, res)
        else next(error)
      },
    )
  }
}

function answerPush(place: Place, channel: string, req: Request, res: Response, next: NextFunction): void {
  const outcome: Outcome = (error, user, info) => {
    if (error) return next(error)
    if (user) return signedIn(place, user, req, res, next)
    // The other of two windows was quicker, with the same answer.
    if (info?.reason === 'redeemed') return res.redirect(303, place.home)
    const page = endings[info?.reason ?? ''] ?? endings['failed']
    const wait = info?.retryAfterSeconds
    if (wait !== undefined) res.setHeader('Retry-After', wait)
    res.status(wait === undefined ? 401 : 429).send(
      endPage({
        title: page?.title ?? 'That did not work',
        text: page?.text ?? 'Please try again.',
        help: wait === undefined ? undefined : `You can try again in ${waitText(wait)}, or use a code now.`,
        again: { href: place.base, label: 'Try another way' },
      }),
    )
  }
  const authenticate = passport.authenticate(strategyOf(place.kind, channel), outcome) as RequestHandler
  void authenticate(req, res, next)
}

const endings: Readonly<Record<string, { readonly title: string; readonly text: string }>> = {
  denied: {
    title: 'Denied',
    text: 'You denied the request on your phone. If it was not you who asked, change your password.',
  },
  expired: { title: 'Too late', text: 'Nobody answered in time, so the request has ended.' },
  cancelled: { title: 'Withdrawn', text: 'The request was withdrawn.' },
  failed: { title: 'That did not work', text: 'The request could not be delivered to your phone.' },
  'not-enrolled': { title: 'No phone connected', text: 'There is no app connected to your account.' },
  'pending-elsewhere': {
    title: 'Your phone is asking already',
    text: 'Another window waits for an answer from your phone. We do not ask twice at a time.',
  },
  budget: { title: 'Too many requests', text: 'Your phone was asked several times already.' },
  'after-denial': {
    title: 'A moment, please',
    text: 'A request was denied just now, so we do not ask your phone again at once.',
  },
  locked: {
    title: 'Pushes are switched off',
    text: 'You told us that a request was not yours. Sign in with a code to switch pushes on again.',
  },
  'no-subject': { title: 'Sign in first', text: 'Your sign-in has ended. Please start again.' },
  'login-ended': { title: 'Sign in again', text: 'Your sign-in has ended. Please start again.' },
}

/** Takes a code from the app, a text or a call. */
export function codeHandler(place: Place, accountOf: AccountOf, choose: Choose): RequestHandler {
  return handle(async (req, res, next) => {
    const account = await accountOf(req)
    if (!account) {
      res.redirect(303, '/sign-in')
      return
    }
    const outcome: Outcome = (error, user, info, status) => {
      if (error) return next(error)
      if (user) return signedIn(place, user, req, res, next)
      const wait = info?.retryAfterSeconds
      if (wait !== undefined) res.setHeader('Retry-After', wait)
      const text =
        info?.reason === 'limited' && wait !== undefined
          ? `Too many wrong codes. Please wait ${waitText(wait)}.`
          : (complaints[info?.reason ?? ''] ?? 'That code is not right.')
      res.status(status ?? 401).send(choose(account, text))
    }
    const authenticate = passport.authenticate('authy-token', outcome) as RequestHandler
    await authenticate(req, res, next)
  })
}

const complaints: Readonly<Record<string, string>> = {
  missing: 'Enter the code: 6 to 12 digits.',
  used: 'That code was used already. Wait for the next one.',
  'not-allowed': 'Codes by text or call are not enough here. Use the app.',
}

/** Sends a code by text message or call. */
export function sendCode(bank: Bank, place: Place, accountOf: AccountOf, choose: Choose): RequestHandler {
  return handle(async (req, res) => {
    const account = await accountOf(req)
    if (!account) {
      res.redirect(303, '/sign-in')
      return
    }
    if (account.authy_id === null || account.phone_ending === null) {
      res.redirect(303, place.base)
      return
    }
    const via = formField(req, 'via') === 'call' ? 'call' : 'sms'
    // First: a provider whose answer gets lost may have sent the code all the same.
    await rememberDelivery(bank.stores.state, account.id, via)
    try {
      const { users } = bank.authy
      if (via === 'sms') await users.requestSms(account.authy_id, { force: true })
      else await users.requestCall(account.authy_id, { force: true })
    } catch (error) {
      if (!(error instanceof ProviderRateLimitedError) && !(error instanceof SendLimitedError)) throw error
      const wait = error instanceof SendLimitedError ? error.retryAfterSeconds : (error.retryAfterMs ?? 60_000) / 1000
      res.status(429).setHeader('Retry-After', Math.ceil(wait))
      res.send(choose(account, `We sent several codes already. Please wait ${waitText(Math.ceil(wait))}.`))
      return
    }
    const sent = via === 'sms' ? 'We have texted you a code.' : 'We are calling you with a code.'
    res.send(choose(account, undefined, sent))
  })
}

/** The page that waits for the phone. */
export function waitingHandler(bank: Bank, place: Place): RequestHandler<{ id: string }> {
  return (req, res, next) => {
    sessionApproval(req, bank.approvals, req.params.id).then(
      (approval) => {
        res.send(
          waitingPage({
            title: 'Check your phone',
            message: approval.message,
            code: approval.code,
            expiresAt: approval.expiresAt,
            statusUrl: `/approvals/${approval.id}/status`,
            finishAction: `${place.waiting}/${approval.id}`,
            cancelAction: `${place.waiting}/${approval.id}/cancel`,
          }),
        )
      },
      (error: unknown) => {
        if (error instanceof ApprovalNotFoundError) moveOn(place, req, res)
        else next(error)
      },
    )
  }
}

// Finished in another window, or never this session's: the choice says what can be done now.
function moveOn(place: Place, req: Request, res: Response): void {
  res.redirect(303, req.isAuthenticated() ? place.home : place.base)
}

function signedIn(place: Place, user: Account, req: Request, res: Response, next: (error: unknown) => void): void {
  req.logIn(user, (error: unknown) => {
    if (error) return next(error)
    const wanted = safeReturnPath(req.session.returnTo)
    delete req.session.returnTo
    req.session.save((failure: unknown) => {
      if (failure) next(failure)
      else res.redirect(303, wanted ?? place.home)
    })
  })
}
