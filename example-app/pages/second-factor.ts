import type { Html } from '../html.js'
import { html } from '../html.js'
import type { Account } from '../accounts.js'
import { field, notice, page } from './layout.js'

export interface Methods {
  /** The Authy app is enrolled: pushes, and codes from the app. */
  readonly app: boolean
  /** The last digits of a phone that gets texts and calls. */
  readonly phone: string | undefined
  readonly passbyme: boolean
  readonly activeconnect: boolean
}

/** What an account can prove itself with. A text is too weak where `phoneEnding` isn't given. */
export function methodsOf(account: Account, phoneEnding: string | null): Methods {
  return {
    app: account.has_app === 1,
    phone: phoneEnding ?? undefined,
    passbyme: account.passbyme_id !== null,
    activeconnect: account.activeconnect_id !== null,
  }
}

export interface ChoosePageOptions {
  /** Where the forms lead: `/sign-in/second-factor` or `/step-up`. */
  readonly base: string
  readonly title: string
  readonly lead: string
  readonly methods: Methods
  readonly error?: string | undefined
  readonly info?: string | undefined
}

/** The choice of the second factor, and the field for a code. */
export function choosePage(options: ChoosePageOptions): string {
  const { base, methods } = options
  return page(
    { title: options.title },
    html`<div class="card">
      <h1>${options.title}</h1>
      <p class="lead">${options.lead}</p>
      ${notice('error', options.error)}${notice('info', options.info)} ${methods.app ? pushForm(base) : undefined}
      ${methods.passbyme ? otherForm(base, 'passbyme', 'PassBy[ME]') : undefined}
      ${methods.activeconnect ? otherForm(base, 'activeconnect', 'Activeconnect') : undefined}
      ${methods.app ? html`<p class="or"><span>or</span></p>` : undefined}
      ${methods.app || methods.phone !== undefined ? codeForm(base) : undefined}
      ${methods.phone === undefined ? undefined : sendForms(base, methods.phone)}
    </div>`,
  )
}

function pushForm(base: string): Html {
  return html`<form method="post" action="${base}/push">
    <button class="button wide-button">Ask my phone</button>
    <p class="hint">You get a push from the Authy app, and approve or deny it there.</p>
  </form>`
}

function otherForm(base: string, provider: string, name: string): Html {
  return html`<form method="post" action="${base}/${provider}" class="other">
    <button class="button wide-button">Ask ${name}</button>
  </form>`
}

function codeForm(base: string): Html {
  return html`<form method="post" action="${base}/code" class="code-form">
    ${field({
      name: 'token',
      label: 'Code',
      autocomplete: 'one-time-code',
      inputmode: 'numeric',
      pattern: '[0-9]{6,12}',
      maxlength: 12,
      hint: 'From the app, a text message or a call.',
    })}
    <button class="button quiet">Use this code</button>
  </form>`
}

function sendForms(base: string, phone: string): Html {
  return html`<div class="send">
    <p class="hint">
      No app at hand? We can send a code to the number that ends in ${phone}. Texts and calls are the weaker way:
      numbers can be taken over.
    </p>
    <form method="post" action="${base}/send">
      <button class="button quiet small" name="via" value="sms">Text me a code</button>
      <button class="button quiet small" name="via" value="call">Call me</button>
    </form>
  </div>`
}

export interface WaitingPageOptions {
  readonly title: string
  readonly message: string
  readonly code?: string | undefined
  readonly expiresAt: Date
  /** Where the script asks how it stands, and what it posts when it is decided. */
  readonly statusUrl: string
  readonly finishAction: string
  readonly cancelAction: string
  /** Default `Use another way`. */
  readonly cancelLabel?: string
  /** What the form carries that is sent when it is decided. */
  readonly fields?: readonly (readonly [name: string, value: string])[]
  readonly note?: string | undefined
}

/** The page that waits for the phone. With script it moves on by itself; without, it looks again every three seconds. */
export function waitingPage(options: WaitingPageOptions): string {
  return page(
    {
      title: options.title,
      script: 'waiting.js',
      head: html`<noscript><meta http-equiv="refresh" content="3" /></noscript>`,
    },
    html`<div
      class="card waiting"
      id="waiting"
      data-status-url="${options.statusUrl}"
      data-expires-at="${options.expiresAt.toISOString()}"
    >
      <div class="phone" aria-hidden="true"><span></span></div>
      <h1>${options.title}</h1>
      <p class="lead">We asked: <strong>${options.message}</strong></p>
      ${options.code === undefined ? undefined : html`<p class="compare" aria-label="Code to compare">${options.code}</p>`}
      ${options.note === undefined ? undefined : html`<p>${options.note}</p>`}
      <p role="status" aria-live="polite" id="state">
        Waiting for ${options.note === undefined ? 'your' : 'their'} answer…
      </p>
      <progress id="time" max="100" value="100" aria-label="Time left"></progress>
      <form method="post" action="${options.finishAction}" id="finish">
        ${options.fields?.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
        <noscript><button class="button">I have answered</button></noscript>
      </form>
      <form method="post" action="${options.cancelAction}">
        <button class="link">${options.cancelLabel ?? 'Use another way'}</button>
      </form>
    </div>`,
  )
}

export interface EndPageOptions {
  readonly title: string
  readonly text: string
  readonly again: { readonly href: string; readonly label: string }
  readonly help?: string | undefined
}

/** What a person reads when it did not work: what happened, and what to do now. */
export function endPage(options: EndPageOptions): string {
  return page(
    { title: options.title },
    html`<div class="card end">
      <h1>${options.title}</h1>
      <p class="lead" role="alert">${options.text}</p>
      ${options.help === undefined ? undefined : html`<p>${options.help}</p>`}
      <p class="actions"><a class="button" href="${options.again.href}">${options.again.label}</a></p>
    </div>`,
  )
}
