import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import type { ServiceContext } from './context.js'
import { nameForMail } from './mail-name.js'
import { passwordChanged } from './password-changes.js'
import { checkNewPassword } from './password-policy.js'
import { maskEmail } from './phone-number.js'
import { refusals, refused } from './refusal.js'
import { checkUrlTemplate } from './reset.js'
import { stringMember } from './schema.js'
import { findByEmail } from './sign-in.js'
import { emailKey, type UserRecord } from './user-store.js'

/** Mails a link to set a new password, if there is such a user. What came of it shows to nobody. */
export async function requestReset(context: ServiceContext, req: IncomingMessage, body: JsonObject): Promise<void> {
  const { settings, limits } = context
  const client = settings.clientOf(req)
  const email = stringMember(body, 'email')
  const linkOf = checkUrlTemplate(stringMember(body, 'url_template'), settings.resetOrigins)
  await limits.require('reset-client', client, settings.limits.resetPerClient)
  if (settings.wire.tellUnknownAddress && (await findByEmail(context, email)) === undefined)
    throw refusals.noSuchEmail(email)
  context.background.start('password reset', () => sendReset(context, { email, client, linkOf }))
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
    variables: { name: nameForMail(user.firstName), password_reset_url: request.linkOf(token) },
    tag: 'password_reset',
  })
}

/** Sets a new password against a token, which is used up. All sessions of the user end. */
export async function confirmReset(
  context: ServiceContext,
  req: IncomingMessage,
  body: JsonObject,
): Promise<UserRecord> {
  const { settings, limits } = context
  const client = settings.clientOf(req)
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
  passwordChanged(context, outcome.user, { type: 'password.reset' })
  return outcome.user
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
