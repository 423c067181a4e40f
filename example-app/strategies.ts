import type { Request } from 'express'
import type { PassportStatic } from 'passport'
import { AuthyTokenStrategy, OneTouchStrategy } from 'passport-outofband/strategies'
import { Strategy as LocalStrategy } from 'passport-local'
import { signedInAccount } from './accounts.js'
import type { Bank } from './bank.js'

/** Tells Passport how people of the bank prove who they are. */
export function useStrategies(passport: PassportStatic, bank: Bank): void {
  const { stores, approvals, assurances, authy, limits } = bank
  const find = async (id: string) => (await stores.accounts.find(id)) ?? false
  const authyIdOf = async (id: string) => (await stores.accounts.find(id))?.authy_id ?? undefined

  passport.serializeUser((user, done) => {
    done(null, signedInAccount({ user })?.id)
  })
  passport.deserializeUser((id: string, done) => {
    find(id).then((user) => {
      done(null, user)
    }, done)
  })
  passport.use(
    new LocalStrategy({ usernameField: 'email' }, (email, password, done) => {
      stores.accounts.signIn(email, password).then((user) => {
        done(null, user ?? false)
      }, done)
    }),
  )
  // The same two strategies serve the login and, for somebody who is in already, step-up.
  passport.use(
    new AuthyTokenStrategy(
      { client: authy, state: stores.state, assurances, limits, authyId: authyIdOf, keep: ['returnTo'] },
      find,
    ),
  )
  for (const { name, waitingPath } of pushStrategies) {
    passport.use(
      new OneTouchStrategy(
        {
          name,
          approvals,
          assurances,
          channel: 'authy',
          reference: authyIdOf,
          message: name === 'push' ? 'Sign in to Larch Bank?' : 'Confirm at Larch Bank that it is you?',
          details: (_subject, req) => ({ Bank: 'Larch Bank', Browser: browserOf(req), Time: new Date().toUTCString() }),
          waitingPath,
          keep: ['returnTo'],
        },
        find,
      ),
    )
  }
}

const pushStrategies = [
  { name: 'push', waitingPath: '/sign-in/waiting/:id' },
  { name: 'step-up-push', waitingPath: '/step-up/waiting/:id' },
] as const

function browserOf(req: Pick<Request, 'headers'>): string {
  return req.headers['user-agent'] ?? 'unknown'
}
