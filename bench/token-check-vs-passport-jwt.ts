import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import jsonwebtoken from 'jsonwebtoken'
import { Passport } from 'passport'
import { ExtractJwt, Strategy } from 'passport-jwt'
import { requireRole, type UserServiceOptions } from 'passport-outofband/users'
import { type Figure, type Measured, pairs, type Side, summary } from './harness.js'
import { benchService, SECRET } from './users-service.js'

const USERS = 500
const ROUNDS = 41

type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/** Sends each of the tokens through a middleware, one request after the other, until all have passed `times` times. */
function side(middleware: Middleware, tokens: readonly string[]): Side {
  const socket = new Socket()
  return async (times) => {
    for (let count = 0; count < times; count += 1) {
      for (const token of tokens) {
        const req = new IncomingMessage(socket)
        req.headers = { authorization: `Bearer ${token}` }
        await new Promise<void>((resolve, reject) => {
          middleware(req, new ServerResponse(req), (error) => {
            if (error === undefined) resolve()
            else reject(error instanceof Error ? error : new Error('refused'))
          })
        })
      }
    }
  }
}

interface Theirs {
  readonly sign: string | KeyObject
  readonly verify: string | KeyObject
  readonly algorithm: 'HS256' | 'RS256'
}

/** passport-jwt as its README shows it: the user is looked up by the token's `sub`, in the same store as ours. */
function passportJwt(store: { findById(id: number): Promise<unknown> }, key: KeyObject | string): Middleware {
  const passport = new Passport()
  const options = {
    jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
    secretOrKey: key as string,
    issuer: 'accounts.examplesoft.com',
    audience: 'yoursite.net',
  }
  passport.use(
    new Strategy(options, (payload: { sub: string }, done) => {
      store.findById(Number(payload.sub)).then(
        (user) => done(null, user ?? false),
        (error: unknown) => done(error, false),
      )
    }),
  )
  return passport.authenticate('jwt', { session: false }) as Middleware
}

async function compare(ours: Partial<UserServiceOptions>, theirs: Theirs): Promise<Measured> {
  const { service, store, addUser } = benchService(ours)
  const own: string[] = []
  const foreign: string[] = []
  for (let index = 0; index < USERS; index += 1) {
    const id = await addUser(`user-${index}`)
    own.push((await service.tokens.issue(id)) ?? '')
    const claims = { iss: 'accounts.examplesoft.com', aud: 'yoursite.net', exp: Math.floor(Date.now() / 1000) + 900 }
    foreign.push(jsonwebtoken.sign(claims, theirs.sign, { algorithm: theirs.algorithm, subject: String(id) }))
  }
  const mine = side(requireRole({ verifyToken: service.tokens.verify }), own)
  const other = side(passportJwt(store, theirs.verify), foreign)
  return summary(await pairs(other, mine, { pairs: ROUNDS, times: 4, warmUp: 8 }))
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const what =
  'how many token checks (signature, session, user; revocation looked up every time) in the time of one by passport-jwt with'

export const tokenCheck: Figure = {
  name: 'token-check-vs-passport-jwt',
  what: `${what} a text as HS256 secret, as its README shows it`,
  unit: 'times',
  atLeast: 4,
  measure: () => compare({}, { sign: SECRET, verify: SECRET, algorithm: 'HS256' }),
}

export const tokenCheckKeyObject: Figure = {
  name: 'token-check-vs-passport-jwt-keyobject',
  what: `${what} a KeyObject`,
  unit: 'times',
  measure: () => compare({}, { sign: SECRET, verify: createSecretKey(Buffer.from(SECRET)), algorithm: 'HS256' }),
}

export const tokenCheckRsa: Figure = {
  name: 'token-check-vs-passport-jwt-rs256',
  what: `${what} RS256, both sides`,
  unit: 'times',
  measure: () =>
    compare(
      { keys: { signing: { alg: 'RS256', key: rsa.privateKey }, secret: SECRET } },
      { sign: rsa.privateKey, verify: rsa.publicKey, algorithm: 'RS256' },
    ),
}
