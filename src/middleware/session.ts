/**
 * Everything that this package does with the application's session, in one place.
 *
 * What the session holds of ours is one key, `outofband`: the id of the login's assurance, the id of a login that waits
 * for its second factor, and id and secret of open approvals. Everything else is in the state store.
 *
 * How a login gets through Passport's `logIn`: that regenerates the session (against session fixation) and thereby
 * drops all that it held, then writes the user into the new one, saves it, and only then lets the answer go out. So
 * {@link carryAcrossLogin} puts itself between: when the session is regenerated, by whomever, the application's allow list
 * and our new state are written into the new session at once, and Passport's own save takes them along. Nothing is
 * written into the old session, whose id somebody else may know.
 *
 * An answer that depends on the session goes out after {@link saveSession}, not after express-session's own save at the
 * end of the response: a redirect would reach a slow store's old state.
 *
 * A request that has waited for a provider, and then has something to write, uses {@link saveIfCurrent}.
 *
 * A request that waits for long (events, long poll) calls {@link detachSession} before it waits. express-session then
 * saves nothing, touches nothing and sets no cookie at its end, whatever `resave`, `rolling`, `saveUninitialized` and
 * `unset` say; so a logout in another tab isn't undone by it.
 */
import { z } from 'zod'
import type { ApprovalHandle } from '../approval/approvals-types.js'
import { ConfigurationError } from '../errors.js'
import type { HttpRequest } from './http-request.js'
import { safeReturnPath } from './return-path.js'

/** An approval that this session began. */
export interface HeldApproval extends ApprovalHandle {
  /** What it was begun for, so that the same question finds it again. */
  readonly key: string
}

/** What the session holds of ours. */
export interface SessionState {
  /** The assurance of the login. */
  readonly assurance?: string | undefined
  /** The assurance of a login that waits for its second factor. */
  readonly login?: string | undefined
  /** Newest last. */
  readonly approvals?: readonly HeldApproval[] | undefined
}

interface Session {
  /** Express: takes a callback. Fastify: may be given names to keep before it, and returns a promise if it gets no callback. */
  regenerate(...given: readonly unknown[]): unknown
  save(callback: (error?: unknown) => void): unknown
}

const KEY = 'outofband'
// A session grows with what is begun in it; a browser has no use for more open questions than this.
const MAX_APPROVALS = 8

const originals = new WeakMap<object, Session['regenerate']>()

const stateSchema = z.object({
  assurance: z.string().optional(),
  login: z.string().optional(),
  approvals: z
    .array(z.object({ id: z.string(), secret: z.string(), key: z.string() }))
    .max(MAX_APPROVALS)
    .optional(),
})

/** Names of session entries that may survive a login. Passport's, the session's and our own are not the application's to keep. */
export const keepOption = z
  .array(
    z
      .string()
      .min(1)
      .refine((name) => !['cookie', 'passport', KEY, '__proto__', 'constructor', 'prototype'].includes(name), {
        error: 'name entries of your own, not those of the session, of Passport or of this package',
      }),
  )
  .max(64)
  .default([])

/** What the session holds of ours; nothing if there is no session, or if somebody else wrote there. */
export function readSession(req: HttpRequest): SessionState {
  return stateIn(req.session)
}

function stateIn(session: unknown): SessionState {
  if (typeof session !== 'object' || session === null || !Object.hasOwn(session, KEY)) return {}
  const result = stateSchema.safeParse(Reflect.get(session, KEY))
  return result.success ? result.data : {}
}

/** Writes our part of the session, without saving it. */
export function writeSession(req: HttpRequest, state: SessionState): void {
  Reflect.set(sessionOf(req), KEY, plain(state))
}

/** Saves the session; resolves when the store has it. */
export function saveSession(req: HttpRequest): Promise<void> {
  return settled((done) => sessionOf(req).save(done))
}

/**
 * Changes the session and saves it, unless it has ended since the request began, or belongs to another login now: false
 * then, and the request is cut off from it. For requests that have waited for a provider: a logout in another tab, or
 * the other of two requests that finish a login, would be undone by saving what this one has read before.
 */
export async function saveIfCurrent(req: HttpRequest, change: () => void): Promise<boolean> {
  if (await isCurrent(req)) {
    change()
    await saveSession(req)
    return true
  }
  detachSession(req)
  return false
}

async function isCurrent(req: HttpRequest): Promise<boolean> {
  const store: unknown = Reflect.get(req, 'sessionStore')
  // Fastify has the id in the session.
  const id: unknown = Reflect.get(req, 'sessionID') ?? Reflect.get(sessionOf(req), 'sessionId')
  // Neither express-session's nor Fastify's: then it has no store that could be asked.
  if (!isSessionStore(store) || typeof id !== 'string') return true
  // This request began the session: nobody else can have ended it.
  if (!isNamedInCookies(req, id)) return true
  let stored: unknown
  await settled((done) =>
    store.get(id, (error, found) => {
      stored = found
      done(error)
    }),
  )
  const [then, now] = [stateIn(req.session), stateIn(stored)]
  const isSame = then.assurance === now.assurance && then.login === now.login
  return typeof stored === 'object' && stored !== null && isSame && userIn(req.session) === userIn(stored)
}

interface SessionStore {
  get(id: string, callback: (error: unknown, found?: unknown) => void): unknown
}

function isSessionStore(store: unknown): store is SessionStore {
  return typeof store === 'object' && store !== null && typeof Reflect.get(store, 'get') === 'function'
}

/** Gives the session a new id; of what it held only the allow list survives, and `state` is written. Not saved yet. */
export async function regenerateSession(req: HttpRequest, keep: readonly string[], state: SessionState): Promise<void> {
  carryAcrossLogin(req, keep, state)
  await settled((done) => sessionOf(req).regenerate(done))
}

/** Prepares the session for being regenerated by somebody else: see the top of this file. */
export function carryAcrossLogin(req: HttpRequest, keep: readonly string[], state: SessionState): void {
  const session = sessionOf(req)
  // Of two strategies in one request the last decides: the wrapper of the first must not write its state after ours.
  const regenerate = originals.get(session) ?? session.regenerate.bind(session)
  originals.set(session, regenerate)
  const value = (...given: readonly unknown[]): unknown => {
    const kept = keptEntries(session, keep)
    const carried = settled((done) => regenerate(...withoutCallback(given), done)).then(() => {
      for (const [name, entry] of kept) Reflect.set(sessionOf(req), name, entry)
      writeSession(req, state)
      // With keepSessionInfo Passport copies the old session over the new one, from memory. The old one is gone from the store.
      Reflect.set(session, KEY, plain(state))
    })
    const callback = given.at(-1)
    if (typeof callback !== 'function') return carried
    // On a turn of its own, or what the callback throws would be a rejection that nobody sees.
    const call = (...error: readonly unknown[]): unknown =>
      setImmediate(() => void Reflect.apply(callback, undefined, error))
    carried.then(() => call(), call)
    return session
  }
  Object.defineProperty(session, 'regenerate', { value, configurable: true, writable: true, enumerable: false })
}

/** Cuts the request off from its session: see the top of this file. */
export function detachSession(req: HttpRequest): void {
  // In this order: with `unset: 'destroy'` a request without a session but with an id would destroy it.
  if (Reflect.has(req, 'sessionID')) Reflect.set(req, 'sessionID', undefined)
  Reflect.set(req, 'session', undefined)
}

/** True if the application has mounted a session that can hold a login. */
export function hasSession(req: HttpRequest): boolean {
  return isSession(req.session)
}

/** True if Passport has a user in this session. */
export function hasPassportUser(req: HttpRequest): boolean {
  return userIn(req.session) !== undefined
}

// As text: what an application serializes may be an object.
function userIn(session: unknown): string | undefined {
  const passport: unknown =
    typeof session === 'object' && session !== null ? Reflect.get(session, 'passport') : undefined
  // Express's Passport writes { user }, or an empty object when there is none; Fastify's writes what was serialized.
  if (typeof passport !== 'object' || passport === null) return passport === null ? undefined : JSON.stringify(passport)
  if (Object.hasOwn(passport, 'user')) return JSON.stringify(Reflect.get(passport, 'user'))
  return Object.keys(passport).length === 0 ? undefined : JSON.stringify(passport)
}

/** The handle of an approval that this session began, by its id. */
export function heldApproval(req: HttpRequest, id: string): HeldApproval | undefined {
  return readSession(req).approvals?.find((approval) => approval.id === id)
}

/** Remembers an approval; one for the same key takes the place of the older. Not saved yet. */
export function holdApproval(req: HttpRequest, approval: HeldApproval): void {
  const state = readSession(req)
  const others = (state.approvals ?? []).filter(({ key }) => key !== approval.key)
  const { id, secret, key } = approval
  writeSession(req, { ...state, approvals: [...others, { id, secret, key }].slice(-MAX_APPROVALS) })
}

/** Forgets an approval. Not saved yet. */
export function dropApproval(req: HttpRequest, id: string): void {
  const state = readSession(req)
  writeSession(req, { ...state, approvals: (state.approvals ?? []).filter((approval) => approval.id !== id) })
}

function withoutCallback(given: readonly unknown[]): readonly unknown[] {
  return typeof given.at(-1) === 'function' ? given.slice(0, -1) : given
}

function keptEntries(session: object, keep: readonly string[]): readonly (readonly [string, unknown])[] {
  return (
    keep
      .filter((name) => Object.hasOwn(session, name))
      .map((name) => [name, Reflect.get(session, name)] as const)
      // Passport's successReturnToOrRedirect goes wherever this entry says.
      .filter(([name, value]) => name !== 'returnTo' || safeReturnPath(value) !== undefined)
  )
}

function sessionOf(req: HttpRequest): Session {
  if (!isSession(req.session)) throw unusable()
  return req.session
}

function isSession(session: unknown): session is Session {
  return (
    typeof session === 'object' &&
    session !== null &&
    typeof Reflect.get(session, 'regenerate') === 'function' &&
    typeof Reflect.get(session, 'save') === 'function'
  )
}

function unusable(): ConfigurationError {
  return new ConfigurationError(
    'there is no session that can be regenerated and saved: mount express-session before this (cookie-session keeps everything in the browser and will not do)',
  )
}

function plain(state: SessionState): object {
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined))
}

function settled(call: (done: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => {
      if (error === undefined || error === null) resolve()
      else reject(error instanceof Error ? error : new Error('the session store failed', { cause: error }))
    })
  })
}

// express-session's cookie holds the id as it is, percent-encoded where the application's own ids need that.
function isNamedInCookies(req: HttpRequest, id: string): boolean {
  const { cookie } = req.headers
  const cookies = Array.isArray(cookie) ? cookie.join(';') : (cookie ?? '')
  return cookies.includes(id) || cookies.includes(encodeURIComponent(id))
}
