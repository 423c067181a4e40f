import { html } from '../html.js'
import { field, notice, page } from './layout.js'

export function numberPage(name: string, phone: string, error?: string): string {
  return page(
    { title: 'Your number', name },
    html`<div class="card">
      <h1>Your number</h1>
      <p class="lead">We text you a code, to see that the number is yours.</p>
      ${notice('error', error)}
      <form method="post" action="/account/phone">
        ${field({
          name: 'phone',
          label: 'Mobile number',
          type: 'tel',
          autocomplete: 'tel',
          inputmode: 'tel',
          maxlength: 24,
          value: phone,
          hint: 'With its country code, such as +1 201 555 0123.',
          autofocus: true,
        })}
        <button class="button">Text me a code</button>
      </form>
      <p class="aside"><a href="/account">Back to the account</a></p>
    </div>`,
  )
}

export function numberCodePage(name: string, phone: string, error?: string, info?: string): string {
  return page(
    { title: 'Enter the code', name },
    html`<div class="card">
      <h1>Enter the code</h1>
      <p class="lead">We have texted it to <strong>${phone}</strong>. It works for ten minutes.</p>
      ${notice('error', error)}${notice('info', info)}
      <form method="post" action="/account/phone/code" class="code-form">
        ${field({ name: 'code', label: 'Code', autocomplete: 'one-time-code', inputmode: 'numeric', pattern: '[0-9]{4,8}', maxlength: 8, autofocus: true })}
        <button class="button">Confirm the number</button>
      </form>
      <form method="post" action="/account/phone/again" class="below">
        <button class="link">Text me another code</button>
      </form>
      <p class="aside"><a href="/account/phone">Another number</a></p>
    </div>`,
  )
}
