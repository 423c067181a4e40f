import { Html, html } from '../html.js'

export interface PageOptions {
  readonly title: string
  /** The signed-in person's name, for the header. */
  readonly name?: string | undefined
  /** The person is an administrator, and has a way to those pages. */
  readonly isAdmin?: boolean
  /** A script of ours, below /public. */
  readonly script?: string | undefined
  /** Extra elements of the head. */
  readonly head?: Html | undefined
  /** A wide page instead of a single card. */
  readonly wide?: boolean
}

/** The frame of every page. Nothing in it comes from another site. */
export function page(options: PageOptions, content: Html): string {
  return html`${new Html('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${options.title} · Larch Bank</title>
        <link rel="stylesheet" href="/public/style.css" />
        <link rel="icon" href="/public/icon.svg" type="image/svg+xml" />
        ${options.head}
        ${options.script === undefined ? undefined : html`<script src="/public/${options.script}" defer></script>`}
      </head>
      <body>
        <a class="skip" href="#main">Skip to content</a>
        <header class="top">
          <a class="brand" href="/"><span class="mark" aria-hidden="true"></span>Larch Bank</a>
          ${options.name === undefined ? signedOutMenu : signedInMenu(options.name, options.isAdmin === true)}
        </header>
        <main id="main" class="${options.wide === true ? 'wide' : 'narrow'}">${content}</main>
        <footer>
          An example application of <code>passport-outofband</code>. No real bank, no real money.
          <a href="/api-docs">API of the user service</a>
        </footer>
      </body>
    </html>`.text
}

const signedOutMenu = html`<nav aria-label="Account"><a href="/sign-in">Sign in</a></nav>`

function signedInMenu(name: string, isAdmin: boolean): Html {
  return html`<nav aria-label="Account">
    <a href="/account">Account</a>
    <a href="/transfer">Transfer</a>
    <a href="/card">Card</a>
    <a href="/documents">Documents</a>
    ${isAdmin ? html`<a href="/admin">People</a>` : undefined}
    <form method="post" action="/sign-out">
      <button class="link">Sign out<span class="visually-hidden"> ${name}</span></button>
    </form>
  </nav>`
}

/** A message above a form. `role="alert"` makes screen readers say it. */
export function notice(kind: 'error' | 'info', text: string | undefined): Html | undefined {
  if (text === undefined) return undefined
  return html`<p class="notice ${kind}" role="${kind === 'error' ? 'alert' : 'status'}">${text}</p>`
}

export interface FieldOptions {
  readonly name: string
  readonly label: string
  readonly type?: string
  readonly value?: string | undefined
  readonly autocomplete: string
  readonly hint?: string
  readonly inputmode?: string
  readonly pattern?: string
  readonly maxlength?: number
  readonly minlength?: number
  readonly autofocus?: boolean
  readonly isOptional?: boolean
}

/** A labelled input. */
export function field(options: FieldOptions): Html {
  const { name, label, hint } = options
  const attribute = (key: string, value: string | number | undefined): Html | undefined =>
    value === undefined ? undefined : html` ${key}="${value}"`
  return html`<div class="field">
    <label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      type="${options.type ?? 'text'}"
      ${options.isOptional === true ? undefined : html`required`}
      autocomplete="${options.autocomplete}"
      ${attribute(
        'value',
        options.value,
      )}${attribute('inputmode', options.inputmode)}${attribute('pattern', options.pattern)}${attribute(
        'maxlength',
        options.maxlength,
      )}${attribute('minlength', options.minlength)}${attribute(
        'aria-describedby',
        hint === undefined ? undefined : `${name}-hint`,
      )}${options.autofocus === true ? html` autofocus` : undefined}
    />
    ${hint === undefined ? undefined : html`<p class="hint" id="${name}-hint">${hint}</p>`}
  </div>`
}
