import type { SandboxReply, SandboxRequest } from '../http-message.js'
import { Router } from '../router.js'
import { openBox, type OpenedBox, type Refusal, requestCode } from './opening.js'
import type { SendSecureState } from './state.js'

/** The pages on which a guest opens a SafeBox. They need no script. */
export function guestRoutes(state: SendSecureState): Router {
  return new Router()
    .add('GET', '/s/:guid/:who', (request, { guid = '', who = '' }) =>
      page(200, 'A SafeBox for you', start(guid, who, new URLSearchParams(request.rawQuery).get('k') ?? '')),
    )
    .add('POST', '/s/:guid/:who/code', async (request, { guid = '', who = '' }) => {
      const { k = '' } = await form(request)
      const refusal = requestCode(state, guid, who)
      return refusal ? refused(refusal) : page(200, 'Enter the code', codeForm(guid, who, k))
    })
    .add('POST', '/s/:guid/:who/open', async (request, { guid = '', who = '' }) => {
      const { k, code = '' } = await form(request)
      const opened = openBox(state, guid, who, { code: code.trim(), key: k })
      return typeof opened === 'string' ? refused(opened) : page(200, opened.subject ?? 'SafeBox', content(opened))
    })
}

const sentences: Readonly<Record<Refusal, string>> = {
  'not-found': 'There is no such SafeBox.',
  closed: 'This SafeBox is closed.',
  locked: 'Your access to this SafeBox is locked.',
  code: 'This code is not right, or too old.',
  key: 'The key of this SafeBox is missing or not right.',
}

function refused(reason: Refusal): SandboxReply {
  const status = { 'not-found': 404, closed: 410, locked: 403, code: 403, key: 403 }[reason]
  return page(status, 'SafeBox', `<p role="alert">${sentences[reason]}</p>`)
}

function start(guid: string, who: string, key: string): string {
  return `<form method="post" action="/s/${escape(guid)}/${escape(who)}/code">
<input type="hidden" name="k" value="${escape(key)}"><button>Send me a code</button></form>`
}

function codeForm(guid: string, who: string, key: string): string {
  return `<form method="post" action="/s/${escape(guid)}/${escape(who)}/open">
<input type="hidden" name="k" value="${escape(key)}">
<label>Security code <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>
<button>Open</button></form>`
}

function content({ from, messages }: OpenedBox): string {
  const shown = messages.map(({ note, documents }) => {
    const links = documents.map(
      ({ name, size, url }) => `<li><a href="${escape(url)}">${escape(name)}</a> (${size} bytes)</li>`,
    )
    return `<section><p>${escape(note)}</p><ul>${links.join('')}</ul></section>`
  })
  return `<p>From ${escape(from)}</p>${shown.join('')}`
}

function page(status: number, title: string, body: string): SandboxReply {
  return {
    status,
    headers: {
      'content-type': 'text/html;charset=utf-8',
      'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    },
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><main><h1>${escape(title)}</h1>${body}</main></html>`,
  }
}

async function form(request: SandboxRequest): Promise<Readonly<Partial<Record<string, string>>>> {
  const body = (await request.body())?.toString('utf8') ?? ''
  return Object.fromEntries(new URLSearchParams(body))
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
