import express from 'express'
import session from 'express-session'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { createApprovals, createAssurances, createGuessLimits } from 'passport-outofband'
import { AuthyClient, oneTouchChannel } from 'passport-outofband/authy'
import { approvalStatus, beginSecondFactor, deviceCookie, signOut } from 'passport-outofband/middleware'
import { AuthyTokenStrategy, OneTouchStrategy } from 'passport-outofband/strategies'
import { MemoryStateStore } from 'passport-outofband/stores'

export const users = [{ id: '1', name: 'alice', password: 'correct horse', authyId: '1635' }]
const find = async (id: string) => users.find((user) => user.id === id) ?? false
const authyIdOf = async (id: string) => users.find((user) => user.id === id)?.authyId

const client = new AuthyClient({
  apiKey: process.env['AUTHY_API_KEY'] ?? 'your-key',
  baseUrl: process.env['AUTHY_URL'],
})
const state = new MemoryStateStore() // one process; SqlStateStore or RedisStateStore for more
const assurances = createAssurances({ state })
const approvals = createApprovals({ state, channels: [oneTouchChannel(client)] })
const limits = createGuessLimits({ state })

passport.use(
  new LocalStrategy((name, password, done) => {
    // An example: keep Argon2id hashes, and ask `limits` before you compare (see "Guessing").
    done(null, users.find((user) => user.name === name && user.password === password) ?? false)
  }),
)
passport.use(new AuthyTokenStrategy({ client, state, limits, assurances, authyId: authyIdOf }, find))
passport.use(
  new OneTouchStrategy(
    { approvals, assurances, reference: authyIdOf, message: 'Sign in to the bank?', waitingPath: '/login/wait/:id' },
    find,
  ),
)
passport.serializeUser((user, done) => done(null, Reflect.get(user, 'id')))
passport.deserializeUser((id: string, done) => void find(id).then((user) => done(null, user), done))

export const app = express()
const isProduction = app.get('env') === 'production'
app.use(express.urlencoded({ extended: false }))
app.use(
  session({
    name: isProduction ? '__Host-sid' : 'sid',
    secret: process.env['SESSION_SECRET'] ?? 'only for trying things out',
    cookie: { secure: isProduction, httpOnly: true, sameSite: 'lax' },
    resave: false,
    saveUninitialized: false,
  }),
)
app.use(deviceCookie({ secure: isProduction }), passport.session())

// First phase. Behind it nobody is logged in yet.
app.post(
  '/login',
  passport.authenticate('local', { session: false, failureRedirect: '/login' }),
  beginSecondFactor({ assurances, policy: { anyOf: ['totp', 'push'] }, secondFactorPath: '/login/second-factor' }),
)
// Second phase: a code, or a push.
app.post(
  '/login/code',
  passport.authenticate('authy-token', { successRedirect: '/', failureRedirect: '/login/second-factor' }),
)
app.post(
  '/login/push',
  passport.authenticate('onetouch', { successRedirect: '/', failureRedirect: '/login/second-factor' }),
)
app.get('/approvals/:id/status', approvalStatus({ approvals }))
app.post('/logout', signOut({ assurances, approvals }), (_req, res) => res.redirect('/login'))

// Asks the provider about pushes while nobody waits for them.
export const background = new AbortController()
void approvals.run({ signal: background.signal })
