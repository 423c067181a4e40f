import express from 'express'
import passport from 'passport'
import { createAssurances } from 'passport-outofband'
import { currentAssurance, requireFactor, safeReturnPath } from 'passport-outofband/middleware'
import { MemoryStateStore } from 'passport-outofband/stores'

const assurances = createAssurances({ state: new MemoryStateStore() }) // the one that your login uses
const fresh = requireFactor({ assurances, anyOf: ['push', 'totp'], maxAgeSeconds: 300, stepUpPath: '/step-up' })

export const pages = express.Router()
pages.get('/payees', fresh, (_req, res) => res.send('Your payees'))
pages.post('/payees', fresh, (_req, res) => res.send('Added'))

pages.get('/step-up', (req, res) => {
  const back = safeReturnPath(req.query['return_to']) ?? '/'
  res.send(`<form method="post" action="/step-up?return_to=${encodeURIComponent(back)}">
    <input name="token" inputmode="numeric" autocomplete="one-time-code"><button>Confirm</button></form>`)
})
pages.post(
  '/step-up',
  passport.authenticate('authy-token', { failureRedirect: '/step-up', keepSessionInfo: true }),
  (req, res) => res.redirect(303, safeReturnPath(req.query['return_to']) ?? '/'),
)
pages.get('/account', (req, res, next) => {
  currentAssurance(req, assurances).then((login) => res.json(login?.factors ?? []), next)
})
