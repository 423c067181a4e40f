import type { Html } from '../html.js'
import { html } from '../html.js'
import { field, notice, page } from './layout.js'

export interface EnrolPageOptions {
  readonly name?: string | undefined
  /** An SVG of ours with the text below as a QR code. */
  readonly qr: Html
  /** The same, for a phone that this page is open on, and for the sandbox. */
  readonly link: string
  /** The simulated phone, when the sandbox runs. */
  readonly phoneUrl: string | undefined
  /** The other providers, each with a page of its own. */
  readonly others: readonly { readonly path: string; readonly name: string }[]
  readonly error?: string | undefined
  readonly canSkip?: boolean
}

/** Enrolling a phone: the Authy app by QR code, or a number for texts and calls. */
export function enrolPage(options: EnrolPageOptions): string {
  return page(
    { title: 'Connect your phone', name: options.name, script: 'enrol.js', wide: true },
    html`<h1>Connect your phone</h1>
      ${notice('error', options.error)}
      <div class="columns" id="enrol" data-status-url="/enrol/status">
        <section class="card">
          <h2>With the Authy app</h2>
          <p>Scan this with the app. From then on a push asks you, and you answer with one tap.</p>
          <div class="qr">${options.qr}</div>
          ${options.phoneUrl === undefined ? undefined : sandboxPhone(options.phoneUrl, options.link)}
          <p role="status" aria-live="polite" id="state">Waiting for your phone…</p>
          <form method="post" action="/enrol/app" id="finish">
            <button class="button quiet">I have scanned it</button>
          </form>
        </section>
        <section class="card">
          <h2>With text messages</h2>
          <p>Any phone will do. Texts and calls are the weaker way: use the app if you can.</p>
          <form method="post" action="/enrol/phone">
            <div class="field-row">
              ${field({ name: 'countryCode', label: 'Code', autocomplete: 'tel-country-code', inputmode: 'tel', maxlength: 4, value: '+1' })}
              ${field({ name: 'phone', label: 'Mobile number', type: 'tel', autocomplete: 'tel-national', maxlength: 24 })}
            </div>
            <button class="button quiet">Use this number</button>
          </form>
        </section>
      </div>
      ${options.others.length === 0 ? undefined : html`<p class="aside">Another app? ${options.others.map(({ path, name }) => html`<a class="button quiet small" href="${path}">Use ${name}</a> `)}</p>`}`,
  )
}

export interface OtherEnrolPageOptions {
  readonly name: string | undefined
  readonly provider: string
  readonly path: string
  readonly qr: Html
  readonly link: string
  readonly phoneUrl: string | undefined
  readonly error?: string | undefined
}

/** Enrolling at PassBy[ME] or Activeconnect: a link as a QR code. */
export function otherEnrolPage(options: OtherEnrolPageOptions): string {
  return page(
    { title: 'Connect your phone', name: options.name, script: 'enrol.js' },
    html`<div class="card" id="enrol" data-status-url="${options.path}/status">
      <h1>Connect ${options.provider}</h1>
      ${notice('error', options.error)}
      <p>Scan this with the app.</p>
      <div class="qr">${options.qr}</div>
      ${options.phoneUrl === undefined ? undefined : sandboxPhone(options.phoneUrl, options.link)}
      <p role="status" aria-live="polite" id="state">Waiting for your phone…</p>
      <form method="post" action="${options.path}" id="finish">
        <button class="button quiet">I have scanned it</button>
      </form>
    </div>`,
  )
}

function sandboxPhone(phoneUrl: string, link: string): Html {
  const url = `${phoneUrl}/#enrol=${encodeURIComponent(link)}`
  return html`<p class="sandbox">
    <strong>Trying this out?</strong>
    <a href="${url}" target="phone" rel="noopener">Connect the simulated phone</a>, and keep its window beside this one.
  </p>`
}
