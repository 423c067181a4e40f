import type { SandboxReply, SandboxRequest } from '../http-message.js'
import type { Listening } from '../http-server.js'
import type { StandInContext } from '../stand-in.js'
import { answerApi, phoneApi, problem, routeTo } from './api.js'
import { authenticator } from './authenticator.js'
import { events } from './events.js'
import { refuse } from './guard.js'
import { icon, page } from './page.js'
import { script } from './script.js'
import { viewScript } from './script-view.js'
import { styles } from './styles.js'

// Everything on the page is ours and comes from here; nothing is inline, nothing may frame it.
const headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
}

const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
  '/': ['text/html;charset=utf-8', page],
  '/phone.js': ['text/javascript;charset=utf-8', script],
  '/view.js': ['text/javascript;charset=utf-8', viewScript],
  '/icon.svg': ['image/svg+xml', icon],
  '/phone.css': ['text/css;charset=utf-8', styles],
}

/** Serves the phone: its page, its live stream and its JSON API. */
export async function startPhone(context: StandInContext): Promise<Listening> {
  const api = phoneApi(context)
  context.hub.addSource(authenticator(context))
  const listening: Listening = await context.listen({
    errorReply: (status) => problem(status, 'the sandbox failed'),
    handler: async (request) => withHeaders(await answer(request)),
  })
  return listening

  async function answer(request: SandboxRequest): Promise<SandboxReply> {
    const refusal = refuse(request, listening.port)
    if (refusal) return refusal
    const file = Object.hasOwn(files, request.path) ? files[request.path] : undefined
    if (file) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return problem(405, 'this is a page')
      return { status: 200, headers: { 'content-type': file[0] }, body: file[1] }
    }
    if (request.path === '/api/events' && request.method === 'GET') return events(context, request)
    return answerApi((path) => routeTo(api, context.hub, path), request)
  }
}

function withHeaders(reply: SandboxReply): SandboxReply {
  return { ...reply, headers: { ...headers, ...reply.headers } }
}
