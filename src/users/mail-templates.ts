import type { JsonObject } from '../approval/json.js'
import { nameForMail } from './mail-name.js'
import { member } from './schema.js'

/** Makes the text and the HTML of a mail from its variables. */
export type MailTemplate = (variables: JsonObject) => { readonly text: string; readonly html: string }

/** The mails that the user service asks for, in plain text. */
export const mailTemplates: Readonly<Record<string, MailTemplate>> = {
  password_reset: (variables) =>
    plain(variables, 'a new password was asked for. If it was you, follow this link:', link(variables)),
  registration: (variables) => plain(variables, 'finish your registration by choosing a password:', link(variables)),
  already_registered: (variables) =>
    plain(
      variables,
      'somebody, probably you, registered with this address; you have an account already. To set a new password:',
      link(variables),
    ),
  password_changed: (variables) =>
    plain(variables, 'your password was changed. If it was not you, ask for a new one at once.'),
  email_changed: (variables) =>
    plain(variables, 'the e-mail address of your account was changed. If it was not you, tell us at once.'),
  new_device: (variables) =>
    plain(variables, 'somebody signed in to your account from a new device. If it was not you, set a new password.'),
  login_failures: (variables) =>
    plain(
      variables,
      'somebody tried too often to sign in to your account with a wrong password. Unless it was you, nothing needs to be',
      'done: nobody got in. A password that you use nowhere else keeps it that way.',
    ),
  phone_changed: (variables) =>
    plain(variables, 'the phone number of your account was changed. If it was not you, tell us at once.'),
}

function plain(variables: JsonObject, ...lines: readonly string[]): { readonly text: string; readonly html: string } {
  const given = member(variables, 'name')
  const name = nameForMail(typeof given === 'string' ? given : null)
  return { text: [`Hello${name === null ? '' : ` ${name}`},`, '', ...lines].join('\n'), html: '' }
}

function link(variables: JsonObject): string {
  const url = member(variables, 'password_reset_url')
  return typeof url === 'string' ? url.replaceAll(/[\s\p{C}]/gu, '') : ''
}
