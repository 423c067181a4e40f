import { Router, type RequestHandler, type Response } from 'express'
import { beginSecondFactor } from 'passport-outofband/middleware'
import type { Refused } from 'passport-outofband/users'
import type { Bank } from '../bank.js'
import { checkMailPage } from '../pages/forgot.js'
import { homePage, signUpPage, type SignUpValues } from '../pages/sign-in.js'
import { formField, handle, secretField } from './async.js'
import { secondFactorPolicy } from './policy.js'
import { beginWith } from './sign-in.js'
import { waitText } from './wait-text.js'

/** The front page, and opening an account. */
export function signUpRoutes({ people, accounts, assurances }: Bank): Router {
  const router = Router()

  router.get('/', (req, res) => {
    if (req.isAuthenticated()) res.redirect(303, '/account')
    else res.send(homePage())
  })

  router.get('/sign-up', (_req, res) => {
    res.send(signUpPage())
  })

  const createAccount: RequestHandler = handle(async (req, res, next) => {
    const values = { name: formField(req, 'name', 64), email: formField(req, 'email') }
    const password = secretField(req, 'password')
    const complaint = complaintOf(values)
    if (complaint !== undefined) {
      res.status(400).send(signUpPage(values, complaint))
      return
    }
    const { email, name: firstName } = values
    const outcome = await people.accounts.register({ req, res, email, password, firstName })
    if (!outcome.ok) refuse(res, values, outcome)
    else if (outcome.user === undefined) res.send(checkMailPage(email))
    else {
      beginWith(req, await accounts.of(outcome.user))
      next()
    }
  })

  // A new person has proved a password and nothing else: the login waits until a phone is connected and used.
  router.post(
    '/sign-up',
    createAccount,
    beginSecondFactor({ assurances, policy: secondFactorPolicy, secondFactorPath: '/enrol', keep: ['userKey'] }),
  )
  return router
}

function refuse(res: Response, values: SignUpValues, { status, code, description, retryAfterSeconds }: Refused): void {
  if (retryAfterSeconds !== undefined) {
    res.setHeader('Retry-After', retryAfterSeconds)
    res.status(status).send(signUpPage(values, `Too many at once. Please wait ${waitText(retryAfterSeconds)}.`))
    return
  }
  const texts: Readonly<Record<string, string>> = {
    AlreadyExists: 'There is an account with this e-mail already. Sign in instead?',
    WeakPassword: `${description}.`,
  }
  res.status(code === 'AlreadyExists' ? 409 : status)
  res.send(signUpPage(values, texts[code] ?? 'That is not an e-mail address.'))
}

function complaintOf({ name, email }: { name: string; email: string }): string | undefined {
  if (name === '') return 'Tell us your name.'
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return 'That is not an e-mail address.'
  return undefined
}
