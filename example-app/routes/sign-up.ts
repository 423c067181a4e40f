import { Router, type RequestHandler } from 'express'
import { beginSecondFactor } from 'passport-outofband/middleware'
import { EmailTakenError } from '../accounts.js'
import type { Bank } from '../bank.js'
import { homePage, signUpPage } from '../pages/sign-in.js'
import { formField, handle } from './async.js'
import { secondFactorPolicy } from './policy.js'

/** The front page, and opening an account. */
export function signUpRoutes({ stores, assurances }: Bank): Router {
  const router = Router()

  router.get('/', (req, res) => {
    if (req.isAuthenticated()) res.redirect(303, '/account')
    else res.send(homePage())
  })

  router.get('/sign-up', (_req, res) => {
    res.send(signUpPage())
  })

  const createAccount: RequestHandler = handle(async (req, res, next) => {
    const values = { name: formField(req, 'name', 80), email: formField(req, 'email') }
    const password = formField(req, 'password', 200)
    const complaint = complaintOf({ ...values, password })
    if (complaint !== undefined) {
      res.status(400).send(signUpPage(values, complaint))
      return
    }
    try {
      req.user = await stores.accounts.create({ ...values, password })
    } catch (error) {
      if (!(error instanceof EmailTakenError)) throw error
      res.status(409).send(signUpPage(values, 'There is an account with this e-mail already. Sign in instead?'))
      return
    }
    next()
  })

  // A new person has proved a password and nothing else: the login waits until a phone is connected and used.
  router.post(
    '/sign-up',
    createAccount,
    beginSecondFactor({ assurances, policy: secondFactorPolicy, secondFactorPath: '/enrol' }),
  )
  return router
}

function complaintOf({ name, email, password }: { name: string; email: string; password: string }): string | undefined {
  if (name === '') return 'Tell us your name.'
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return 'That is not an e-mail address.'
  return password.length < 8 ? 'The password needs at least 8 characters.' : undefined
}
