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
  const { accounts, people, stores, approvals, assurances, authy, limits } = bank
  const find = finderOf(bank)
  const authyIdOf = async (id: string) => (await accounts.find(id))?.authy_id ?? undefined

  passport.serializeUser((user, done) => {
    done(null, signedInAccount({ user })?.sessionKey)
  })
  passport.deserializeUser((sessionKey, done) => {
    accounts.ofSession(sessionKey).then((account) => {
      done(null, account ?? false)
    }, done)
  })
  passport.use(
    new LocalStrategy({ usernameField: 'email', passReqToCallback: true }, (req, email, password, done) => {
      people.accounts.verifyPassword({ req, res: req.res, email: email.trim(), password }).then((outcome) => {
        const info = { message: outcome.ok ? '' : outcome.description, outcome }
        done(null, outcome.ok ? outcome.user : false, info)
      }, done)
    }),
  )
  // The same two strategies serve the login and, for somebody who is in already, step-up.
  passport.use(
    new AuthyTokenStrategy(
      { client: authy, state: stores.state, assurances, limits, authyId: authyIdOf, passReqToCallback: true, keep },
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
          passReqToCallback: true,
          keep,
        },
        find,
      ),
    )
  }
}

function useOtherProviders(passport: PassportStatic, bank: Bank): void {
  const { accounts, approvals, assurances, providers } = bank
  const find = finderOf(bank)
  for (const place of ['sign-in', 'step-up'] as const) {
    const common = {
      approvals,
      assurances,
      message: place === 'sign-in' ? 'Sign in to Larch Bank?' : 'Confirm at Larch Bank that it is you?',
      waitingPath: `/${place}/waiting/:id`,
      passReqToCallback: true as const,
      keep,
    }
    if (providers.passbyme) {
      const reference = async (id: string) => (await accounts.find(id))?.passbyme_id
      passport.use(new PassByMeStrategy({ ...common, name: strategyOf(place, 'passbyme'), reference }, find))
    }
    if (providers.activeconnect) {
      const reference = async (id: string) => (await accounts.find(id))?.activeconnect_id
      passport.use(new ActiveconnectStrategy({ ...common, name: strategyOf(place, 'activeconnect'), reference }, find))
    }
  }
}

// Sessions get a new id at each step of a login; these go along.
const keep = ['returnTo', 'userKey']

// Whoever has proved a second factor: the account, unless the password was changed since it opened this session.
function finderOf({ accounts }: Bank) {
  return async ({ session }: { readonly session?: unknown }, id: string) => {
    const userKey: unknown =
      typeof session === 'object' && session !== null ? Reflect.get(session, 'userKey') : undefined
    return (await accounts.ofSession(userKey, id)) ?? false
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
