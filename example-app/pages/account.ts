import type { Html } from '../html.js'
import { html } from '../html.js'
import { money } from '../money.js'
import { notice, page } from './layout.js'

export interface ProvedFactor {
  readonly factor: string
  readonly at: Date
}

export interface AccountPageOptions {
  readonly name: string
  readonly balanceCents: number
  readonly factors: readonly ProvedFactor[]
  /** What left the account, the newest first. */
  readonly transfers: readonly { readonly payee: string; readonly amountCents: number }[]
  readonly app: boolean
  readonly phone: string | undefined
  readonly isAdmin: boolean
  readonly email: string
  /** The verified number, or an empty text; nothing where none can be verified. */
  readonly number: string | undefined
  readonly info?: string | undefined
}

const factorNames: Readonly<Record<string, string>> = {
  password: 'Password',
  totp: 'Code from the app',
  sms: 'Code by text message',
  call: 'Code by call',
  push: 'Push, approved on your phone',
  passbyme: 'PassBy[ME], approved on your phone',
  activeconnect: 'Activeconnect, with your phone nearby',
}

export function accountPage(options: AccountPageOptions): string {
  return page(
    { title: 'Account', name: options.name, isAdmin: options.isAdmin, wide: true },
    html`<h1>Hello, ${options.name}</h1>
      ${notice('info', options.info)}
      <div class="columns">
        <section class="card balance">
          <h2>Everyday account</h2>
          <p class="amount">${money(options.balanceCents)}</p>
          <p class="actions">
            <a class="button small" href="/transfer">Transfer money</a>
            <a class="button quiet small" href="/card">Show card details</a>
          </p>
          ${
            options.transfers.length === 0
              ? undefined
              : html`<ul class="moves">
                  ${options.transfers.map(moveItem)}
                </ul>`
          }
        </section>
        <section class="card">
          <h2>How you proved who you are</h2>
          <ul class="factors">
            ${options.factors.map(factorItem)}
          </ul>
        </section>
        <section class="card">
          <h2>Your phone</h2>
          <p>${options.app ? 'The Authy app is connected.' : 'No app is connected.'}</p>
          <p>
            ${options.phone === undefined ? 'No number for texts and calls.' : `Texts and calls go to the number that ends in ${options.phone}.`}
          </p>
          <p class="actions"><a class="button quiet small" href="/enrol">Connect a phone</a></p>
        </section>
        <section class="card">
          <h2>Your details</h2>
          <p>${options.email}</p>
          ${options.number === undefined ? undefined : html`<p>${options.number === '' ? 'No number for news of the bank.' : `News of the bank go to ${options.number}.`}</p>`}
          <p class="actions">
            <a class="button quiet small" href="/account/password">Change password</a>
            ${options.number === undefined ? undefined : html`<a class="button quiet small" href="/account/phone">Change number</a>`}
          </p>
        </section>
      </div>`,
  )
}

function moveItem({ payee, amountCents }: { readonly payee: string; readonly amountCents: number }): Html {
  return html`<li><span>${payee}</span> <strong>−${money(amountCents)}</strong></li>`
}

function factorItem({ factor, at }: ProvedFactor): Html {
  return html`<li>
    <strong>${factorNames[factor] ?? factor}</strong>
    <time datetime="${at.toISOString()}">${at.toUTCString().replace('GMT', 'UTC')}</time>
  </li>`
}

/** While the phone is away. Looks by itself whether it is back. */
export function suspendedPage(): string {
  return page(
    { title: 'Locked', head: html`<meta http-equiv="refresh" content="5; url=/account" />` },
    html`<div class="card end">
      <h1>Locked while you are away</h1>
      <p class="lead" role="status">
        Your phone is out of reach. Come back with it, and this page opens again by itself.
      </p>
      <p class="actions"><a class="button" href="/account">I am back</a></p>
      <form method="post" action="/sign-out"><button class="link">Sign out</button></form>
    </div>`,
  )
}

/** Behind a fresh second factor. */
export function cardPage(
  name: string,
  card: { readonly number: string; readonly expires: string; readonly pin: string },
): string {
  return page(
    { title: 'Card', name },
    html`<div class="card">
      <h1>Your card</h1>
      <div class="plastic">
        <p class="plastic-brand">Larch Bank</p>
        <p class="plastic-number">${card.number}</p>
        <p class="plastic-row"><span>${name}</span><span>${card.expires}</span></p>
      </div>
      <dl>
        <dt>PIN</dt>
        <dd>${card.pin}</dd>
      </dl>
      <p class="hint">You see this because you proved yourself with your phone in the last five minutes.</p>
    </div>`,
  )
}
