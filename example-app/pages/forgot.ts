import { html } from '../html.js'
import { page } from './layout.js'

/** The same words whether or not there is an account with this address. */
export function checkMailPage(email: string): string {
  return page(
    { title: 'Check your mail' },
    html`<div class="card end">
      <h1>Check your mail</h1>
      <p class="lead" role="status">
        We have sent a link to <strong>${email}</strong>, if it is an address we may write to.
      </p>
      <p class="hint">Nothing there after a few minutes? Look among the spam, or try again.</p>
      <p class="actions"><a class="button quiet" href="/sign-in">Back to sign-in</a></p>
    </div>`,
  )
}
