import type { Request } from 'express'
import type { PassportStatic } from 'passport'
import {
  ActiveconnectStrategy,
  AuthyTokenStrategy,
  OneTouchStrategy,
  PassByMeStrategy,
} from 'passport-outofband/strategies'
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
  useOtherProviders(passport, bank)
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

function useOtherProviders(passport: PassportStatic, { stores, approvals, assurances, providers }: Bank): void {
  const find = async (id: string) => (await stores.accounts.find(id)) ?? false
  for (const place of ['sign-in', 'step-up'] as const) {
    const common = {
      approvals,
      assurances,
      message: place === 'sign-in' ? 'Sign in to Larch Bank?' : 'Confirm at Larch Bank that it is you?',
      waitingPath: `/${place}/waiting/:id`,
      keep: ['returnTo'],
    }
    if (providers.passbyme) {
      const reference = async (id: string) => (await stores.accounts.find(id))?.passbyme_id
      passport.use(new PassByMeStrategy({ ...common, name: strategyOf(place, 'passbyme'), reference }, find))
    }
    if (providers.activeconnect) {
      const reference = async (id: string) => (await stores.accounts.find(id))?.activeconnect_id
      passport.use(new ActiveconnectStrategy({ ...common, name: strategyOf(place, 'activeconnect'), reference }, find))
    }
  }
}

/** The name of the strategy that asks over a channel, for signing in or for step-up. */
export function strategyOf(place: 'sign-in' | 'step-up', channel: string): string {
  const name = channel === 'authy' ? 'push' : channel
  return place === 'sign-in' ? name : `step-up-${name}`
}

const pushStrategies = [
  { name: 'push', waitingPath: '/sign-in/waiting/:id' },
  { name: 'step-up-push', waitingPath: '/step-up/waiting/:id' },
] as const

function browserOf(req: Pick<Request, 'headers'>): string {
  return req.headers['user-agent'] ?? 'unknown'
}
