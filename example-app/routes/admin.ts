import { Router, type Request, type Response } from 'express'
import { requireFactor } from 'passport-outofband/middleware'
import { requireRole, type Outcome, type PublicUser } from 'passport-outofband/users'
import { signedInAccount } from '../accounts.js'
import type { Bank } from '../bank.js'
import { peoplePage, personPage } from '../pages/admin.js'
import { endPage } from '../pages/second-factor.js'
import { handle, sentField } from './async.js'
import { cardPolicy } from './policy.js'
import { refusalText } from './refusal-text.js'

const PAGE = 20

/** The people and their roles, for administrators who have just shown their phone. */
export function adminRoutes({ people: { accounts }, stores, assurances }: Bank): Router {
  const router = Router()
  router.use(
    '/admin',
    requireRole({
      userOf: signedInAccount,
      anyOf: ['admin'],
      onRefused: ({ status }, _req, res: Response) => {
        if (status === 401) res.redirect(303, '/sign-in')
        else res.status(403).send(notForYou)
      },
    }),
    requireFactor({ assurances, ...cardPolicy, stepUpPath: '/step-up' }),
  )

  router.get(
    '/admin',
    handle(async (req, res) => {
      const search = textOf(req.query['q'])
      const after = /^\d{1,10}$/.exec(textOf(req.query['after']))?.[0] ?? '0'
      // One more than is shown tells whether there is a next page.
      const found = await accounts.list({ search, afterId: Number(after), limit: PAGE + 1 })
      const shown = found.slice(0, PAGE)
      const next = found.length > PAGE ? shown.at(-1)?.id : undefined
      res.send(peoplePage({ viewer: viewerOf(req), people: shown, search, next, isFirst: after === '0' }))
    }),
  )
  router.get(
    '/admin/people/:id',
    handle(async (req, res) => {
      await show(req, res, { info: req.query['saved'] === undefined ? undefined : 'Saved.' })
    }),
  )
  router.post(
    '/admin/people/:id/roles',
    handle(async (req, res) => {
      // Nothing sent is not the same as no roles.
      const sent = sentField(req, 'roles')
      if (sent === undefined) return show(req, res.status(400), { error: 'That form was not complete.' })
      const roles = [...new Set(sent.split(/[\s,]+/))].filter((role) => role !== '')
      await settle(req, res, await accounts.setRoles({ ...actOf(req), roles }))
    }),
  )
  router.post(
    '/admin/people/:id/active',
    handle(async (req, res) => {
      const sent = sentField(req, 'active')
      if (sent !== 'yes' && sent !== 'no') return show(req, res.status(400), { error: 'That form was not complete.' })
      await settle(req, res, await accounts.setActive({ ...actOf(req), isActive: sent === 'yes' }))
    }),
  )
  return router

  async function settle(req: Request, res: Response, outcome: Outcome<{ readonly user: PublicUser }>): Promise<void> {
    if (!outcome.ok) {
      await show(req, res, { error: refusalText(res, outcome) })
      return
    }
    const { id, isActive } = outcome.user
    // The sessions are over; factors and sessions at providers end with them.
    if (!isActive) await assurances.revoke(String(id))
    res.redirect(303, `/admin/people/${id}?saved`)
  }

  async function show(
    req: Request,
    res: Response,
    news: { readonly error?: string | undefined; readonly info?: string | undefined },
  ): Promise<void> {
    const { actorId, userId } = actOf(req)
    const user = await accounts.find(userId)
    if (!user) {
      res.status(404).send(nobody)
      return
    }
    const audit = await stores.audit.recent(user.id)
    res.send(personPage({ viewer: viewerOf(req), isSelf: actorId === user.id, user, audit, ...news }))
  }
}

function actOf(req: Request): { readonly actorId: number; readonly userId: number } {
  const id = String(req.params['id'])
  return { actorId: signedInAccount(req)?.userId ?? 0, userId: /^\d{1,10}$/.test(id) ? Number(id) : 0 }
}

function viewerOf(req: Request): string {
  return signedInAccount(req)?.name ?? ''
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 100).trim() : ''
}

const notForYou = endPage({
  title: 'Not for you',
  text: 'These pages are for administrators.',
  again: { href: '/account', label: 'Back to the account' },
})

const nobody = endPage({
  title: 'Nobody',
  text: 'There is no such person.',
  again: { href: '/admin', label: 'Back to the people' },
})
