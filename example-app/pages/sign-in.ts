import { html } from '../html.js'
import { field, notice, page } from './layout.js'

export function homePage(): string {
  return page(
    { title: 'Welcome', wide: true },
    html`<section class="hero">
      <h1>Your money moves when you say so.</h1>
      <p class="lead">
        Larch Bank asks your phone before anybody signs in, and before anything leaves your account. Nothing to
        remember, nothing to type.
      </p>
      <p class="actions">
        <a class="button" href="/sign-up">Open an account</a> <a class="button quiet" href="/sign-in">Sign in</a>
      </p>
    </section>`,
  )
}

export interface SignUpValues {
  readonly name?: string | undefined
  readonly email?: string | undefined
}

export function signUpPage(values: SignUpValues = {}, error?: string): string {
  return page(
    { title: 'Open an account' },
    html`<div class="card">
      <h1>Open an account</h1>
      ${notice('error', error)}
      <form method="post" action="/sign-up">
        ${field({ name: 'name', label: 'Your name', autocomplete: 'name', value: values.name, maxlength: 64, autofocus: true })}
        ${field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'username', value: values.email, maxlength: 254 })}
        ${field({
          name: 'password',
          label: 'Password',
          type: 'password',
          autocomplete: 'new-password',
          minlength: 8,
          maxlength: 1024,
          hint: 'At least 8 characters. Your phone is the second lock.',
        })}
        <button class="button">Continue</button>
      </form>
      <p class="aside">Have an account? <a href="/sign-in">Sign in</a></p>
    </div>`,
  )
}

export function signInPage(
  values: { readonly email?: string | undefined; readonly canReset: boolean },
  error?: string,
  info?: string,
): string {
  return page(
    { title: 'Sign in' },
    html`<div class="card">
      <h1>Sign in</h1>
      ${notice('error', error)}${notice('info', info)}
      <form method="post" action="/sign-in">
        ${field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'username', value: values.email, maxlength: 254, autofocus: true })}
        ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', maxlength: 1024 })}
        <button class="button">Continue</button>
      </form>
      ${values.canReset ? html`<p class="aside"><a href="/forgot">Forgot your password?</a></p>` : undefined}
      <p class="aside">New here? <a href="/sign-up">Open an account</a></p>
    </div>`,
  )
}
