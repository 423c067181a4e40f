import { randomUUID } from 'node:crypto'
import { Router, type Request, type RequestHandler, type Response } from 'express'
import { InvalidInputError, ProviderRejectedError, reportFactorChange } from 'passport-outofband'
import { requireFactor } from 'passport-outofband/middleware'
import { renderSVG } from 'uqr'
import { signedInAccount, type Account } from '../accounts.js'
import type { Bank } from '../bank.js'
import { hasPhone } from '../customers.js'
import { Html } from '../html.js'
import { otherEnrolRoutes } from './enrol-other.js'
import { enrolPage } from '../pages/enrol.js'
import { formField, handle } from './async.js'
import { cardPolicy } from './policy.js'
import { waitingAccount } from './sign-in.js'

/**
 * Connecting a phone. For a new person in the middle of the first sign-in; for anybody else only with a fresh second factor, because who can
 * change the phone can become the person.
 */
export function enrolRoutes(bank: Bank): Router {
  const { assurances, authy, stores } = bank
  const router = Router()
  const asFreshPerson = requireFactor({ assurances, ...cardPolicy, stepUpPath: '/step-up' })

  const mayEnrol: RequestHandler = (req, res, next) => {
    if (req.isAuthenticated()) {
      asFreshPerson(req, res, next)
      return
    }
    waitingAccount(bank, req).then((account) => {
      if (!account) return res.redirect(303, '/sign-in')
      // Somebody with a phone proves it; the password alone doesn't change it.
      if (hasPhone(account)) return res.redirect(303, '/sign-in/second-factor')
      next()
    }, next)
  }

  async function show(req: Request, res: Response, error?: string): Promise<void> {
    req.session.enrolmentId ??= randomUUID()
    const { appId, name: appName } = await authy.app.details()
    const registration = { customUserId: req.session.enrolmentId, appId, appName }
    const { url: link } = await authy.users.createRegistration(registration)
    const qr = new Html(renderSVG(link, { border: 0 }))
    res.status(error === undefined ? 200 : 400)
    res.send(
      enrolPage({
        name: signedInAccount(req)?.name,
        qr,
        link,
        phoneUrl: bank.phoneUrl,
        others: otherNames(bank),
        error,
      }),
    )
  }

  router.use('/enrol', mayEnrol)
  router.use(otherEnrolRoutes(bank, accountOf))
  router.get(
    '/enrol',
    handle((req, res) => show(req, res)),
  )
  router.get(
    '/enrol/status',
    handle(async (req, res) => {
      const registered = await registration(bank, req)
      res.json({ status: registered === undefined ? 'pending' : 'completed' })
    }),
  )
  router.post(
    '/enrol/app',
    handle(async (req, res) => {
      const authyId = await registration(bank, req)
      if (authyId === undefined)
        return show(req, res, 'The app has not told us of your phone yet. Scan the code first.')
      await connect(req, { authyId, hasApp: true, ending: null })
      done(req, res)
    }),
  )
  router.post(
    '/enrol/phone',
    handle(async (req, res) => {
      const phone = formField(req, 'phone', 24)
      const countryCode = formField(req, 'countryCode', 4).replace(/^\+/, '')
      const account = await accountOf(req)
      if (!account) {
        res.redirect(303, '/sign-in')
        return
      }
      try {
        const { authyId } = await authy.users.create({
          email: account.email,
          phone,
          countryCode,
          sendInstallLink: false,
        })
        const { registered } = await authy.users.status(authyId)
        await connect(req, {
          authyId,
          hasApp: registered,
          ending: phone.replace(/\D/g, '').slice(-2),
        })
      } catch (error) {
        if (!(error instanceof InvalidInputError) && !(error instanceof ProviderRejectedError)) throw error
        return show(req, res, 'That number does not look right. Check the country code too.')
      }
      done(req, res)
    }),
  )
  return router

  async function accountOf(req: Request): Promise<Account | undefined> {
    return signedInAccount(req) ?? waitingAccount(bank, req)
  }

  async function connect(
    req: Request,
    phone: { readonly authyId: string; readonly hasApp: boolean; readonly ending: string | null },
  ): Promise<void> {
    const account = await accountOf(req)
    if (account) {
      await stores.customers.connectPhone(account.userId, phone)
      const change = account.authy_id === null ? 'added' : 'changed'
      reportFactorChange({ subject: account.id, factor: phone.hasApp ? 'push' : 'sms', change })
    }
    delete req.session.enrolmentId
  }
}

async function registration({ authy }: Bank, req: Request): Promise<string | undefined> {
  const { enrolmentId } = req.session
  if (enrolmentId === undefined) return undefined
  const found = await authy.users.registrationStatus(enrolmentId)
  return found.status === 'completed' ? found.authyId : undefined
}

function otherNames({ providers }: Bank): readonly { readonly path: string; readonly name: string }[] {
  return [
    ...(providers.passbyme ? [{ path: '/enrol/passbyme', name: 'PassBy[ME]' }] : []),
    ...(providers.activeconnect ? [{ path: '/enrol/activeconnect', name: 'Activeconnect' }] : []),
  ]
}

function done(req: Request, res: Response): void {
  res.redirect(303, req.isAuthenticated() ? '/account' : '/sign-in/second-factor')
}
