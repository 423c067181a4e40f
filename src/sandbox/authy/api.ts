import { createHash, timingSafeEqual } from 'node:crypto'
import { header, type SandboxHandler, type SandboxReply, type SandboxRequest } from '../http-message.js'
import { type PathParams, Router } from '../router.js'
import * as app from './app-endpoints.js'
import type { Endpoint } from './endpoint.js'
import * as oneTouch from './onetouch-endpoints.js'
import { type ParamHash, readParams, textOf } from './params.js'
import * as phones from './phones-endpoints.js'
import { secret, servePicture } from './secret-endpoint.js'
import { refuse } from './replies.js'
import type { AuthyState } from './state.js'
import * as tokens from './token-endpoints.js'
import * as users from './users-endpoints.js'

const endpoints: readonly (readonly [method: string, path: string, endpoint: Endpoint])[] = [
  ['POST', '/protected/json/users/new', users.register],
  ['GET', '/protected/json/users/:id/status', users.status],
  ['POST', '/protected/json/users/:id/remove', users.remove],
  ['POST', '/protected/json/users/:id/delete', users.remove],
  ['POST', '/protected/json/users/delete/:id', users.remove],
  ['POST', '/protected/json/users/:id/update', users.update],
  ['POST', '/protected/json/users/:id/register_activity', users.registerActivity],
  ['POST', '/protected/json/users/:id/secret', secret],
  ['GET', '/protected/json/users/:id/secret/export', users.exportSecret],
  ['GET', '/protected/json/users/:id/phone_number', users.exportPhone],
  ['GET', '/protected/json/registrations/status', users.registrationStatus],
  ['GET', '/protected/json/sms/:id', tokens.sms],
  ['GET', '/protected/json/call/:id', tokens.call],
  ['POST', '/protected/json/email/:id', tokens.email],
  ['GET', '/protected/json/verify/:token/:id', tokens.verify],
  ['POST', '/protected/json/phones/verification/start', phones.start],
  ['GET', '/protected/json/phones/verification/check', phones.check],
  ['GET', '/protected/json/phones/verification/status', phones.verificationStatus],
  ['GET', '/protected/json/phones/info', phones.info],
  ['GET', '/protected/json/app/details', app.details],
  ['GET', '/protected/json/app/stats', app.stats],
  ['POST', '/onetouch/json/users/:id/approval_requests', oneTouch.create],
  ['GET', '/onetouch/json/approval_requests/:uuid', oneTouch.read],
]

/** The whole API: key, limits, parameters, then the endpoint. */
export function authyApi(state: AuthyState): SandboxHandler {
  const router = new Router()
  for (const [method, path, endpoint] of endpoints) {
    router.add(method, path, (request, params) => run(state, `${method} ${path}`, endpoint, request, params))
  }
  return async (request) => {
    const picture = servePicture(state, request)
    if (picture) return picture
    const [, product = '', format = ''] = request.path.split('/')
    const isApi = product === 'protected' || product === 'onetouch'
    const find = isApi && format === 'json' ? router.find(request.method, request.path) : undefined
    if (typeof find === 'function') return find(request)
    const { refusal } = await admit(state, request)
    if (refusal) return refusal
    return isApi && format !== 'json' && format !== '' ? refuse('60002') : unknownPath()
  }
}

async function run(
  state: AuthyState,
  name: string,
  endpoint: Endpoint,
  request: SandboxRequest,
  path: PathParams,
): Promise<SandboxReply> {
  const { refusal, params } = await admit(state, request)
  if (refusal) return refusal
  if (state.switches.accountSuspended) return refuse('60060')
  const now = state.now()
  if (!state.limits.request(name, now)) return refuse('60003')
  state.count('api_calls_count')
  return endpoint({ state, params, path, request, now })
}

/** Reads the parameters and checks the key; whoever has no key learns nothing else. */
async function admit(
  state: AuthyState,
  request: SandboxRequest,
): Promise<{ refusal: SandboxReply; params?: never } | { refusal?: never; params: ParamHash }> {
  const read = await readParams(request)
  const key = header(request, 'x-authy-api-key') ?? (read.params && textOf(read.params, 'api_key'))
  if (!isKey(state, key)) return { refusal: refuse('60001') }
  return read
}

function isKey(state: AuthyState, given: string | undefined): boolean {
  return timingSafeEqual(digest(given ?? ''), digest(state.settings.apiKey))
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}

function unknownPath(): SandboxReply {
  return { ...refuse('60002'), status: 404 }
}
