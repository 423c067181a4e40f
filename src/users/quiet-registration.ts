import type { ServiceContext } from './context.js'
import { nameForMail } from './mail-name.js'
import { maskEmail } from './phone-number.js'
import { emailKey, type UserRecord } from './user-store.js'

/**
 * Registration that tells nobody whether there is an account: the answer is always the same, and everything else goes by mail, to
 * the owner of the address. A new account has no password; the mail holds the link to set one, which also proves that the
 * address is theirs. Who has an account already gets a mail that says so, with the same link.
 */
export function registerQuietly(
  context: ServiceContext,
  request: {
    readonly email: string
    readonly client: string
    readonly firstName: string | null
    readonly lastName: string | null
  },
): void {
  context.background.start('quiet registration', async () => {
    const { email, firstName, lastName } = request
    const inserted = await context.store.insert({
      email,
      emailKey: emailKey(email),
      phone: null,
      phoneKey: null,
      firstName,
      lastName,
      passwordHash: null,
      isActive: true,
      roles: [],
      at: context.now(),
    })
    const user = inserted.ok ? inserted.user : await context.store.findByEmail(emailKey(email))
    if (user?.isActive !== true) return
    const type = inserted.ok ? 'registered' : 'registration.refused'
    context.emit({ type, userId: user.id, client: request.client, destination: maskEmail(email) })
    await sendLink(context, user, inserted.ok)
  })
}

async function sendLink(context: ServiceContext, user: UserRecord, isNew: boolean): Promise<void> {
  const { mail, settings, limits } = context
  const over = await limits.count('reset', emailKey(user.email), settings.limits.reset)
  if (mail === undefined || over !== undefined) return
  const token = await context.resets.issue(user)
  const link = (settings.registrationUrlTemplate ?? '').replace('{token}', () => token)
  await mail.send({
    template: isNew ? 'registration' : 'already_registered',
    from: settings.mailFrom,
    to: user.email,
    subject: isNew ? 'Finish your registration' : 'You have an account already',
    variables: { name: nameForMail(user.firstName), password_reset_url: link },
    tag: 'registration',
  })
}
