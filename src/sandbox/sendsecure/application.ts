import { header, json, type SandboxHandler, type SandboxReply, type SandboxRequest } from '../http-message.js'
import { Router } from '../router.js'
import type { AddRoute, ApiCall, ApiHandler } from './api-call.js'
import { boxRoutes } from './application-box.js'
import { peopleRoutes } from './application-people.js'
import { guestRoutes } from './guest-pages.js'
import { list as listBoxes } from './listing.js'
import { commit } from './commit.js'
import { auditRecord } from './pdf.js'
import { find } from './life.js'
import type { Box } from './model.js'
import { denied, invalid, notFound } from './replies.js'
import { consentGroup } from './seed.js'
import type { SendSecureState } from './state.js'
import { record, text, wrapped, type Loose } from './values.js'
import { committedBox, userSettings } from './wire.js'

/** The sendsecure server: the API, the audit records, and the pages on which guests open SafeBoxes. */
export function application(state: SendSecureState): SandboxHandler {
  const api = new Router()
  const add = (method: string, path: string, handler: ApiHandler): void => {
    api.add(method, `/api/v2${path}`, async (request, params) => {
      const user = state.tokens.get(tokenOf(request) ?? '')
      if (!user) return denied()
      const body = record(parse(((await request.body(4 * 1024 * 1024)) ?? Buffer.alloc(0)).toString('utf8')))
      return handler({ state, user, query: new URLSearchParams(request.rawQuery), params, body })
    })
  }
  enterpriseRoutes(add)
  // `new` before any guid.
  add('GET', '/safeboxes/new', ({ query }) => newBox(state, query))
  add('POST', '/safeboxes', ({ body }) => commitBox(state, body))
  add('GET', '/safeboxes', listBoxes)
  boxRoutes(add)
  peopleRoutes(add)
  const pages = guestRoutes(state)
  pages.add('GET', '/s/:name', (_request, { name = '' }) => audit(state, name))
  return (request) => {
    const isApi = request.path.startsWith('/api/')
    const path = isApi ? resourceOf(request.path) : request.path
    const route = (isApi ? api : pages).find(request.method, path)
    return typeof route === 'function' ? route(request) : notFound()
  }
}

// Every resource is known with and without the suffix. The official C# client begins some queries with `&`, and the PHP
// one ends a path in a slash and writes the suffix without its dot after a number: taken as they are meant.
function resourceOf(path: string): string {
  return path
    .replace(/&[^/]*$/, '')
    .replace(/\/$/, '')
    .replace(/\.json$|(?<=\/\d+)json$/, '')
}

function enterpriseRoutes(add: AddRoute): void {
  const own = ({ state, params }: ApiCall): boolean => params['e'] === state.enterpriseAccount
  add('GET', '/enterprises/:e/settings', (call) => (own(call) ? json(200, call.state.settings) : denied()))
  add('GET', '/enterprises/:e/security_profiles', (call) => {
    if (!own(call) || !call.state.userByEmail(call.query.get('user_email') ?? undefined)) return denied()
    return json(200, { security_profiles: call.state.profiles.map(({ wire }) => wire) })
  })
  add('GET', '/enterprises/:e/consent_message_groups/:id', (call) =>
    own(call) && call.params['id'] === '7' ? json(200, { consent_message_group: consentGroup }) : notFound(),
  )
  add('GET', '/enterprises/:e/users/:u/settings', (call) => {
    if (!own(call)) return denied()
    if (!/^\d+$/.test(call.params['u'] ?? '')) return notFound()
    return call.params['u'] === String(call.user.id) ? json(200, userSettings(call.state, call.user)) : denied()
  })
}

function newBox(state: SendSecureState, query: URLSearchParams): SandboxReply {
  const user = state.userByEmail(query.get('user_email') ?? undefined)
  if (!user) return denied()
  const { guid, key } = state.newDraft(user)
  return json(200, { guid, public_encryption_key: key, upload_url: state.uploadUrl(guid) })
}

function commitBox(state: SendSecureState, body: Loose): SandboxReply {
  // An early client put user_email beside the SafeBox instead of into it.
  const given = { user_email: body['user_email'], ...wrapped(body, 'safebox') }
  const result = commit(state, given)
  return isBox(result) ? json(200, committedBox(state, result)) : invalid(result)
}

function isBox(result: Box | Readonly<Record<string, unknown>>): result is Box {
  return 'messages' in result && Array.isArray(result.messages) && 'history' in result
}

function audit(state: SendSecureState, name: string): SandboxReply {
  const box = name.endsWith('.pdf') ? find(state, name.slice(0, -4)) : undefined
  if (!box || box.status === 'in_progress') return notFound()
  // Two official clients fetch it without a token: whoever has the address may have it.
  return { status: 200, headers: { 'content-type': 'application/pdf' }, body: auditRecord(state, box) }
}

function tokenOf(request: SandboxRequest): string | undefined {
  return text(header(request, 'authorization-token') ?? header(request, 'xm-token-authorization'))
}

function parse(body: string): unknown {
  try {
    return body === '' ? {} : JSON.parse(body)
  } catch {
    return {}
  }
}
