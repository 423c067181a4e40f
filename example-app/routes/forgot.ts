import { Router, type CookieOptions, type Request, type Response } from 'express'
import type { Bank } from '../bank.js'
import { checkMailPage, forgotPage, newPasswordPage } from '../pages/forgot.js'
import { endPage } from '../pages/second-factor.js'
import { resetTemplate } from '../people.js'
import { formField, handle, secretField } from './async.js'
import { refusalText } from './refusal-text.js'

const COOKIE = 'bank-reset'

/** "Forgot your password?", and the page that the mailed link leads to. */
export function forgotRoutes(bank: Bank): Router {
  const { people, assurances, isProduction } = bank
  const router = Router()
  const cookie: CookieOptions = { path: '/reset', httpOnly: true, sameSite: 'lax', secure: isProduction }

  if (bank.canReset) askRoutes(router, bank)

  router.use('/reset', (_req, res, next) => {
    res.setHeader('Referrer-Policy', 'no-referrer')
    next()
  })
  // The token leaves the address, and with it the history and the screen, before anything is shown. Nothing is used up:
  // programs that look at mails follow links too.
  router.get('/reset/:token', (req, res) => {
    res.cookie(COOKIE, req.params.token, { ...cookie, maxAge: 3_600_000 })
    res.redirect(303, '/reset')
  })
  router.get('/reset', (req, res) => {
    if (tokenOf(req) === undefined)
      badLink(res.status(400), 'Open the link in the mail that we sent you.', bank.canReset)
    else res.send(newPasswordPage())
  })
  router.post(
    '/reset',
    handle(async (req, res) => {
      const token = tokenOf(req) ?? ''
      const outcome = await people.accounts.confirmReset({ req, token, newPassword: secretField(req, 'password') })
      if (outcome.ok) {
        // Sessions have ended with the old password. What was begun in them has an end too.
        await assurances.revoke(String(outcome.user.id))
        res.clearCookie(COOKIE, cookie)
        res.redirect(303, '/sign-in?new')
        return
      }
      const text = refusalText(res, outcome)
      if (outcome.code === 'InvalidToken') badLink(res.clearCookie(COOKIE, cookie), text, bank.canReset)
      else res.send(newPasswordPage(text))
    }),
  )
  return router
}

function askRoutes(router: Router, { people, publicUrl }: Bank): void {
  router.get('/forgot', (_req, res) => {
    res.send(forgotPage())
  })
  router.post(
    '/forgot',
    handle(async (req, res) => {
      const email = formField(req, 'email')
      const outcome = await people.accounts.requestReset({ req, email, urlTemplate: resetTemplate(publicUrl) })
      res.send(outcome.ok ? checkMailPage(email) : forgotPage(email, refusalText(res, outcome)))
    }),
  )
}

function badLink(res: Response, text: string, canReset: boolean): void {
  const again = canReset ? { href: '/forgot', label: 'Ask for a new link' } : { href: '/sign-in', label: 'Sign in' }
  res.send(endPage({ title: 'This link does not work', text, again }))
}

function tokenOf({ headers }: Request): string | undefined {
  return new RegExp(`(?:^|; )${COOKIE}=([\\w.-]{1,100})(?:;|$)`).exec(headers.cookie ?? '')?.[1]
}
