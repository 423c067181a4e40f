import { html } from '../html.js'
import { field, notice, page } from './layout.js'

export function forgotPage(email = '', error?: string): string {
  return page(
    { title: 'Forgot your password?' },
    html`<div class="card">
      <h1>Forgot your password?</h1>
      <p class="lead">We send you a link with which you can set a new one.</p>
      ${notice('error', error)}
      <form method="post" action="/forgot">
        ${field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'username', value: email, maxlength: 254, autofocus: true })}
        <button class="button">Send me a link</button>
      </form>
      <p class="aside"><a href="/sign-in">Back to sign-in</a></p>
    </div>`,
  )
}

/** The same words whether or not there is an account with this address. */
export function checkMailPage(email: string): string {
  return page(
    { title: 'Check your mail' },
    html`<div class="card end">
      <h1>Check your mail</h1>
      <p class="lead" role="status">
        If <strong>${email}</strong> is an address that we may write to, a link is on its way.
      </p>
      <p class="hint">
        Nothing there after a few minutes? Look among the spam, or try again. The link works for an hour, once.
      </p>
      <p class="actions"><a class="button quiet" href="/sign-in">Back to sign-in</a></p>
    </div>`,
  )
}

export function newPasswordPage(error?: string): string {
  return page(
    { title: 'Set a new password' },
    html`<div class="card">
      <h1>Set a new password</h1>
      <p class="lead">You will be signed out everywhere, and sign in with it and your phone.</p>
      ${notice('error', error)}
      <form method="post" action="/reset">
        ${newPasswordField('New password')}
        <button class="button">Set the password</button>
      </form>
    </div>`,
  )
}

export function changePasswordPage(name: string, error?: string): string {
  return page(
    { title: 'Change your password', name },
    html`<div class="card">
      <h1>Change your password</h1>
      <p class="lead">You stay signed in here, and are signed out everywhere else.</p>
      ${notice('error', error)}
      <form method="post" action="/account/password">
        ${field({ name: 'current', label: 'Current password', type: 'password', autocomplete: 'current-password', maxlength: 1024, autofocus: true })}
        ${newPasswordField('New password')}
        <button class="button">Change the password</button>
      </form>
      <p class="aside"><a href="/account">Back to the account</a></p>
    </div>`,
  )
}

function newPasswordField(label: string) {
  return field({
    name: 'password',
    label,
    type: 'password',
    autocomplete: 'new-password',
    minlength: 8,
    maxlength: 1024,
    hint: 'At least 8 characters. Your phone is the second lock.',
  })
}
