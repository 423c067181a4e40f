import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import {
  authorisedWithBody,
  findTarget,
  hasRole,
  isFresh,
  mayChange,
  notify,
  objectBody,
  optionalString,
  type ServiceContext,
} from './context.js'
import { checkNewPassword } from './password-policy.js'
import { maskEmail } from './phone-number.js'
import { refusals, refused, tooMany, type Answer } from './refusal.js'
import { confirmBody, resetBody, setPasswordBody } from './request-schemas.js'
import { checkUrlTemplate } from './reset.js'
import { findByEmail } from './routes-auth.js'
import { stringMember } from './schema.js'
import type { Call, Route } from './routing.js'
import type { Caller } from './tokens.js'
import { emailKey, type UserRecord } from './user-store.js'

export function passwordRoutes(context: ServiceContext): readonly Route[] {
  return [
    { method: 'POST', path: '/user/{user_id}/set_password/', handle: (call) => setPassword(context, call) },
    { method: 'POST', path: '/password/reset/', handle: ({ req }) => reset(context, req) },
    { method: 'POST', path: '/password/reset/confirm/', handle: ({ req }) => confirm(context, req) },
  ]
}

async function setPassword(context: ServiceContext, call: Call): Promise<Answer> {
  const read = (req: IncomingMessage): Promise<JsonObject> => objectBody(context, req, setPasswordBody)
  return authorisedWithBody(context, call, read, async (caller, body) => {
    const password = stringMember(body, 'password')
    const target = await findTarget(context, caller, call.params[0] ?? '')
    const isSelf = target.id === caller.user.id
    mayChange(caller, target)
    if (!isSelf && !context.settings.setPasswordOfOthers) throw refusals.accessDenied()
    if (isSelf) await reauthenticate(context, caller, optionalString(body, 'current_password'), call.req)
    await checkNewPassword(context.settings.policy, password, target.email)
    const at = context.now()
    const passwordHash = await context.passwords.hash(password)
    // The hash and the end of all sessions are one write; then this session alone is taken over.
    const changes = { passwordHash, endSessions: true } as const
    const outcome = await context.store.update(target.id, changes, { at, ifEpoch: target.epoch })
    if (!outcome.ok) throw refusals.blacklisted()
    if (isSelf)
      await context.sessions.keep(caller.jti, { epoch: outcome.user.epoch, authenticatedAt: Math.floor(at / 1000) })
    await context.resets.drop(target.id)
    changed(context, outcome.user, 'password.changed', caller.user.id)
    return { status: 200 }
  })
}

/** A stolen token must not become a stolen account: a fresh login, or the password of now. */
async function reauthenticate(
  context: ServiceContext,
  caller: Caller,
  current: string | null | undefined,
  req: IncomingMessage,
): Promise<void> {
  if (typeof current !== 'string') {
    if (isFresh(context, caller)) return
    throw refusals.reauthenticate()
  }
  const { limits, settings } = context
  const client = settings.clientOf(req)
  const subject = `${emailKey(caller.user.email)} `
  const wait = await limits.count('login', subject, settings.limits.login)
  if (wait !== undefined) throw tooMany(wait)
  if (!(await context.passwords.verify(caller.user.passwordHash, current))) {
    await limits.count('login-client', client, settings.limits.loginPerClient)
    context.emit({ type: 'login.failed', userId: caller.user.id, client, reason: 'current password' })
    throw refusals.authFailure()
  }
  await limits.clear('login', subject)
}

async function reset(context: ServiceContext, req: IncomingMessage): Promise<Answer> {
  const { settings, limits } = context
  const client = settings.clientOf(req)
  const body = await objectBody(context, req, resetBody)
  const email = stringMember(body, 'email')
  const linkOf = checkUrlTemplate(stringMember(body, 'url_template'), settings.resetOrigins)
  await limits.require('reset-client', client, settings.limits.resetPerClient)
  if (settings.wire.tellUnknownAddress && (await findByEmail(context, email)) === undefined)
    throw refusals.noSuchEmail(email)
  context.background.start('password reset', () => sendReset(context, { email, client, linkOf }))
  return { status: 200 }
}

async function sendReset(
  context: ServiceContext,
  request: { readonly email: string; readonly client: string; readonly linkOf: (token: string) => string },
): Promise<void> {
  const { settings, limits, mail, resets } = context
  const about = { client: request.client, destination: maskEmail(request.email) }
  const over = await limits.count('reset', emailKey(request.email), settings.limits.reset)
  const user = await findByEmail(context, request.email)
  if (over !== undefined) {
    context.emit({ type: 'limited', ...about, reason: 'reset' })
    return
  }
  if (user?.isActive !== true) {
    await resets.pretend(request.email)
    context.emit({ type: 'reset.refused', ...about, reason: user === undefined ? 'unknown' : 'inactive' })
    return
  }
  const token = await resets.issue(user)
  context.emit({ type: 'reset.requested', userId: user.id, ...about })
  await mail?.send({
    template: 'password_reset',
    from: settings.mailFrom,
    to: user.email,
    subject: settings.resetSubject,
    variables: { name: user.firstName, password_reset_url: request.linkOf(token) },
    tag: 'password_reset',
  })
}

async function confirm(context: ServiceContext, req: IncomingMessage): Promise<Answer> {
  const { settings, limits } = context
  const client = settings.clientOf(req)
  const body = await objectBody(context, req, confirmBody)
  const token = stringMember(body, 'token')
  const password = stringMember(body, 'new_password')
  await limits.require('confirm-client', client, settings.limits.confirmPerClient)
  const good = await context.resets.check(token)
  const user = good && (await context.store.findById(good.userId))
  const isValid = user?.isActive === true && user.epoch === good?.epoch && emailKey(user.email) === good.email
  if (good === undefined || user === undefined || !isValid) {
    context.emit({ type: 'reset.refused', client, reason: 'token' })
    throw invalidToken(context, token)
  }
  // The password is looked at first: one that is refused must not cost the token.
  await checkNewPassword(settings.policy, password, user.email)
  const passwordHash = await context.passwords.hash(password)
  if (!(await good.consume())) throw invalidToken(context, token)
  const changes = { passwordHash, endSessions: true } as const
  const outcome = await context.store.update(user.id, changes, { at: context.now(), ifEpoch: user.epoch })
  if (!outcome.ok) throw invalidToken(context, token)
  await context.resets.drop(user.id)
  changed(context, outcome.user, 'password.reset', undefined)
  return { status: 200 }
}

function changed(
  context: ServiceContext,
  user: UserRecord,
  type: 'password.changed' | 'password.reset',
  actorId: number | undefined,
): void {
  context.emit({ type, userId: user.id, ...(actorId === undefined ? {} : { actorId }) })
  if (!hasRole(user, 'service'))
    notify(context, user.email, 'password_changed', 'Your password was changed', user.firstName)
}

function invalidToken(context: ServiceContext, token: string): Error {
  const text = 'The specified token is invalid'
  return refused(400, 'InvalidToken', context.settings.wire.libraryTexts ? `${text} -- ${libraryText(token)}` : text)
}

// What the signing library of the original says; our tokens are of another kind, so it is only ever said of foreign ones.
function libraryText(token: string): string {
  const parts = token.split('.')
  if (parts.length === 1) return "BadSignature: No b'.' found in value"
  const kind = parts.length === 2 ? 'BadSignature' : 'BadTimeSignature'
  return `${kind}: Signature b'${(parts.at(-1) ?? '').slice(0, 100)}' does not match`
}
