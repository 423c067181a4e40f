import { randomUUID } from 'node:crypto'
import { Router, type Request } from 'express'
import { reportFactorChange } from 'passport-outofband'
import { renderSVG } from 'uqr'
import { signedInAccount, type Account } from '../accounts.js'
import type { Bank } from '../bank.js'
import { Html } from '../html.js'
import { otherEnrolPage } from '../pages/enrol.js'
import type { Providers } from '../providers.js'
import { handle } from './async.js'

/** How a provider connects a phone. What is asked for lies in the session until the phone is there. */
interface Enrolment {
  readonly name: string
  /** The link that binds the phone which opens it. */
  link(req: Request, account: Account): Promise<string>
  /** The id of the person at the provider, once the phone is there. */
  finished(req: Request): Promise<string | undefined>
}

/** Connecting a phone at PassBy[ME] or Activeconnect. Mount it behind whatever says who may enrol. */
export function otherEnrolRoutes(bank: Bank, accountOf: (req: Request) => Promise<Account | undefined>): Router {
  const router = Router()
  const { passbyme, activeconnect } = bank.providers
  if (passbyme) add('passbyme', passByMeEnrolment(passbyme))
  if (activeconnect) add('activeconnect', activeconnectEnrolment(activeconnect))
  return router

  function add(provider: 'passbyme' | 'activeconnect', enrolment: Enrolment): void {
    const path = `/enrol/${provider}`
    router.get(
      path,
      handle(async (req, res) => {
        const account = await accountOf(req)
        if (!account) {
          res.redirect(303, '/sign-in')
          return
        }
        const link = await enrolment.link(req, account)
        const qr = new Html(renderSVG(link, { border: 0 }))
        const name = signedInAccount(req)?.name
        res.send(otherEnrolPage({ name, provider: enrolment.name, path, qr, link, phoneUrl: bank.phoneUrl }))
      }),
    )
    router.get(
      `${path}/status`,
      handle(async (req, res) => {
        res.json({ status: (await enrolment.finished(req)) === undefined ? 'pending' : 'completed' })
      }),
    )
    router.post(
      path,
      handle(async (req, res) => {
        const account = await accountOf(req)
        const reference = await enrolment.finished(req)
        if (!account || reference === undefined) {
          res.redirect(303, path)
          return
        }
        await bank.stores.customers.connectProvider(account.userId, provider, reference)
        const change = account[`${provider}_id`] === null ? 'added' : 'changed'
        reportFactorChange({ subject: account.id, factor: provider, change })
        delete req.session.passbymeUser
        delete req.session.activeconnectUser
        res.redirect(303, req.isAuthenticated() ? '/account' : '/sign-in/second-factor')
      }),
    )
  }
}

function passByMeEnrolment({ management }: NonNullable<Providers['passbyme']>): Enrolment {
  return {
    name: 'PassBy[ME]',
    async link(req, account) {
      if (!req.session.passbymeUser) {
        const userId = randomUUID()
        const { oid } = await management.users.create({ userId, email: account.email, fullName: account.name })
        await management.enrollments.create(oid)
        req.session.passbymeUser = { oid, userId }
      }
      const enrollments = await management.enrollments.list(req.session.passbymeUser.oid)
      return enrollments.at(-1)?.deviceConfigUrl ?? ''
    },
    async finished({ session: { passbymeUser } }) {
      return passbymeUser && (await management.users.hasDevice(passbymeUser.oid)) ? passbymeUser.userId : undefined
    },
  }
}

function activeconnectEnrolment(client: NonNullable<Providers['activeconnect']>): Enrolment {
  return {
    name: 'Activeconnect',
    async link(req) {
      // A token of our own, at random: the provider needs no names.
      const token = (req.session.activeconnectUser ??= randomUUID())
      await client.users.add(token)
      return client.users.registrationLink(token, { displayName: 'Larch Bank' })
    },
    async finished({ session: { activeconnectUser: token } }) {
      if (token === undefined) return undefined
      return (await client.users.hasMobileDevice(token)) === 'has_mobile_device' ? token : undefined
    },
  }
}
