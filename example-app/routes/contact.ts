import { Router, type Request, type RequestHandler } from 'express'
import { currentAssurance, requireFactor } from 'passport-outofband/middleware'
import { signedInAccount } from '../accounts.js'
import type { Bank } from '../bank.js'
import { numberCodePage, numberPage } from '../pages/contact.js'
import { changePasswordPage } from '../pages/forgot.js'
import { formField, handle, secretField } from './async.js'
import { cardPolicy } from './policy.js'
import { refusalText } from './refusal-text.js'
import { beginWith } from './sign-in.js'

/** What people change of themselves: the password, and the number that the bank texts to. */
export function contactRoutes(bank: Bank): Router {
  const router = Router()
  router.use(['/account/password', '/account/phone'], (req, res, next) => {
    if (req.isAuthenticated()) next()
    else res.redirect(303, '/sign-in')
  })
  router.get('/account/password', (req, res) => {
    res.send(changePasswordPage(nameOf(req)))
  })
  router.post('/account/password', changePassword(bank))
  if (bank.canText) numberRoutes(router, bank)
  return router
}

function changePassword({ people, accounts, assurances }: Bank): RequestHandler {
  return handle(async (req, res, next) => {
    const account = signedInAccount(req)
    const outcome = await people.accounts.changePassword({
      req,
      sessionKey: account?.sessionKey ?? '',
      currentPassword: secretField(req, 'current'),
      newPassword: secretField(req, 'password'),
    })
    if (!outcome.ok) {
      res.send(changePasswordPage(nameOf(req), refusalText(res, outcome)))
      return
    }
    const { user } = outcome
    const current = await currentAssurance(req, assurances)
    await assurances.revoke(String(user.id), { except: current?.id })
    const changed = await accounts.of(user)
    beginWith(req, changed)
    // All sessions have ended; this one goes on under a new id, with the new key.
    req.logIn(changed, { session: true, keepSessionInfo: true }, (error: unknown) => {
      if (error) next(error)
      else res.redirect(303, '/account?password')
    })
  })
}

/** Who can change the number can be taken for the person: with a fresh second factor only. */
function numberRoutes(router: Router, { people: { accounts }, assurances }: Bank): void {
  router.use('/account/phone', requireFactor({ assurances, ...cardPolicy, stepUpPath: '/step-up' }))
  router.get('/account/phone', (req, res) => {
    res.send(numberPage(nameOf(req), signedInAccount(req)?.phone ?? ''))
  })
  router.post(
    '/account/phone',
    handle(async (req, res) => {
      const phone = formField(req, 'phone', 24)
      const outcome = await accounts.sendPhoneCode({ req, phone })
      if (outcome.ok) req.session.phoneToVerify = phone
      res.send(
        outcome.ok ? numberCodePage(nameOf(req), phone) : numberPage(nameOf(req), phone, refusalText(res, outcome)),
      )
    }),
  )
  router.post(
    '/account/phone/again',
    handle(async (req, res) => {
      const phone = req.session.phoneToVerify ?? ''
      const outcome = await accounts.sendPhoneCode({ req, phone, resend: true })
      const [error, info] = outcome.ok ? [undefined, 'We have texted you another code.'] : [refusalText(res, outcome)]
      res.send(numberCodePage(nameOf(req), phone, error, info))
    }),
  )
  router.post(
    '/account/phone/code',
    handle(async (req, res) => {
      const phone = req.session.phoneToVerify ?? ''
      const userId = signedInAccount(req)?.userId ?? 0
      const proved = await accounts.confirmPhone({ req, phone, code: formField(req, 'code', 8), userId })
      const outcome = proved.ok ? await accounts.update(userId, { phone }) : proved
      if (!outcome.ok) {
        res.send(numberCodePage(nameOf(req), phone, refusalText(res, outcome)))
        return
      }
      delete req.session.phoneToVerify
      res.redirect(303, '/account?number')
    }),
  )
}

function nameOf(req: Request): string {
  return signedInAccount(req)?.name ?? ''
}
