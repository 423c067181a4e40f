import type { JsonObject } from '../approval/json.js'
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
  phone_changed: (variables) =>
    plain(variables, 'the phone number of your account was changed. If it was not you, tell us at once.'),
}

function plain(variables: JsonObject, ...lines: readonly string[]): { readonly text: string; readonly html: string } {
  const name = member(variables, 'name')
  // A name is what somebody typed: no second line, no link, and no `evil.example` that a mail program makes one of.
  const clean =
    typeof name === 'string'
      ? name
          .replaceAll(/[\p{C}<>]|https?:|\/\/|www\.|\.(?=\p{L})/giu, ' ')
          .trim()
          .slice(0, 64)
      : ''
  return { text: [`Hello${clean === '' ? '' : ` ${clean}`},`, '', ...lines].join('\n'), html: '' }
}

function link(variables: JsonObject): string {
  const url = member(variables, 'password_reset_url')
  return typeof url === 'string' ? url.replaceAll(/[\s\p{C}]/gu, '') : ''
}
