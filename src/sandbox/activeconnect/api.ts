import { z } from 'zod'
import { ACTIVECONNECT_METHODS, type ActiveconnectStatus } from '../../providers/activeconnect/wire.js'
import { json, text, type SandboxReply, type SandboxRequest } from '../http-message.js'
import type { PhoneHub } from '../phone/hub.js'
import { Router, type PathParams } from '../router.js'
import { originOf, refuse, type Credentials } from './credentials.js'
import type { ActiveconnectQuirks, ActiveconnectSandboxOptions } from './options.js'
import type { ActiveconnectState, Session, User } from './state.js'

export interface ApiParts {
  readonly state: ActiveconnectState
  readonly credentials: Credentials
  readonly quirks: ActiveconnectQuirks
  readonly options: ActiveconnectSandboxOptions
  readonly hub: PhoneHub
}

type AppHandler = (app: string, request: SandboxRequest) => SandboxReply | Promise<SandboxReply>
type UserHandler = (user: User, request: SandboxRequest) => SandboxReply | Promise<SandboxReply>

const userList = z.object({ users: z.array(z.string().min(1).max(255)).max(1000) })
const smsBody = z.object({
  phone_number: z.string(),
  display_name: z.string().nullish(),
  message: z.string().nullish(),
})

/** The routes of the service. */
export function activeconnectApi(parts: ApiParts): Router {
  const router = new Router()
  const { state, credentials } = parts
  addManagement(router, parts)
  router.add('POST', '/authentication/authenticate_user/:app/:user', userCall(parts, startHandler(parts)))
  router.add('GET', '/authentication/session_status/:id', (request, { id = '' }) => {
    const session = state.session(id)
    const signer = credentials.session(request, session)
    if (typeof signer !== 'string') return signer
    return session ? statusReply(state.current(session), parts.quirks) : text(404, 'Session does not exist')
  })
  router.add('POST', '/authentication/logout/:id', (request, { id = '' }) => {
    const session = state.session(id)
    const signer = credentials.session(request, session)
    if (typeof signer !== 'string') return signer
    if (!session) return text(404, 'Session does not exist')
    state.close(session)
    return json(200, { status: true })
  })
  router.add('GET', '/register/:token', () => text(200, 'Open this link on the phone of the sandbox.'))
  return router
}

function addManagement(router: Router, parts: ApiParts): void {
  const { state, hub } = parts
  // The documentation lists the short form, its samples the long one.
  for (const prefix of ['/management', '']) {
    router
      .add('POST', `${prefix}/add_users/:app`, appCall(parts, addUsers(state)))
      .add('POST', `${prefix}/delete_users/:app`, appCall(parts, deleteUsers(state)))
      .add(
        'GET',
        `${prefix}/device_registration_link/:app/:user`,
        userCall(parts, (user, request) =>
          linkReply(state, user, request, new URLSearchParams(request.rawQuery).get('display_name') ?? ''),
        ),
      )
      .add('POST', `${prefix}/send_registration_sms/:app/:user`, userCall(parts, sendSms(state, hub)))
      .add(
        'GET',
        `${prefix}/has_registered_mobile_device/:app/:user`,
        userCall(parts, (user) => json(200, { status: true, device_registered: user.device !== undefined })),
      )
      .add(
        'GET',
        `${prefix}/lost_user_mobile_device/:app/:user`,
        userCall(parts, (user, request) => {
          state.dropDevice(user)
          return linkReply(state, user, request, '')
        }),
      )
  }
}

/** A call that an application signed, for itself. */
function appCall({ state, credentials, options }: ApiParts, handler: AppHandler) {
  return async (request: SandboxRequest, params: PathParams): Promise<SandboxReply> => {
    const signer = credentials.application(request)
    if (typeof signer !== 'string') return signer
    const app = decode(params['app'], options.plusIsSpace)
    if (app === undefined || !state.applications.has(app)) return text(404, `Application ${app ?? ''} does not exist`)
    if (app !== signer) return refuse(403, 'this application may not do that')
    return handler(app, request)
  }
}

function userCall(parts: ApiParts, handler: UserHandler) {
  return (request: SandboxRequest, params: PathParams): Promise<SandboxReply> =>
    appCall(parts, (app, sameRequest) => {
      const id = decode(params['user'], parts.options.plusIsSpace)
      const user = id === undefined ? undefined : parts.state.user(app, id)
      return user ? handler(user, sameRequest) : text(404, `User ${id ?? ''} does not exist`)
    })(request, params)
}

function addUsers(state: ActiveconnectState): AppHandler {
  return async (app, request) => {
    const body = await read(request, userList)
    if (!body) return refuse(400, 'MALFORMED')
    if (body.users.length === 0) return refuse(200, 'NO_USERS')
    const created: string[] = []
    const existing: string[] = []
    for (const id of new Set(body.users)) (state.addUser(app, id) ? created : existing).push(id)
    return json(201, { status: true, users: { created, existing } })
  }
}

function deleteUsers(state: ActiveconnectState): AppHandler {
  return async (app, request) => {
    const body = await read(request, userList)
    if (!body) return refuse(400, 'MALFORMED')
    for (const id of body.users) state.deleteUser(app, id)
    return json(200, { status: true })
  }
}

function sendSms(state: ActiveconnectState, hub: PhoneHub): UserHandler {
  return async (user, request) => {
    const body = await read(request, smsBody)
    if (!body) return refuse(400, 'MALFORMED')
    if (!/^\+[1-9][0-9]{6,14}$/.test(body.phone_number)) return refuse(200, 'INVALID_PHONE_NUMBER')
    const link = `${originOf(request)}/register/${state.newLink(user, body.display_name ?? '')}`
    const before = body.message ?? 'Open this link to register your phone:'
    hub.deliver({ provider: 'activeconnect', kind: 'sms', to: body.phone_number, text: `${before} ${link}` })
    return json(200, { status: true })
  }
}

function startHandler({ state, quirks }: ApiParts): UserHandler {
  return (user, request) => {
    const query = new URLSearchParams(request.rawQuery)
    const methods = (query.get('methods') ?? '').split(',').filter((word) => word !== '')
    if (methods.some((word) => !ACTIVECONNECT_METHODS.some((method) => method === word))) {
      return refuse(400, 'UNKNOWN_METHOD')
    }
    // Not in the documentation; the later of the vendor's Python packages sends it.
    const duration = query.get('duration_seconds')
    if (duration !== null && !/^[1-9][0-9]{0,8}$/.test(duration)) return refuse(400, 'MALFORMED')
    if (!user.device) {
      const reason = 'NO_MOBILE_DEVICE'
      return json(200, { authentication_status: { authenticated: false, session_status: 'failed', reason } })
    }
    return startReply(
      state.start(user, methods, duration === null ? undefined : Number(duration)),
      quirks.foreignOrigin ?? originOf(request),
    )
  }
}

function startReply(session: Session, origin: string): SandboxReply {
  return json(202, {
    authentication_status: {
      authenticated: true,
      session_status: session.status,
      reason: null,
      status_url: `${origin}/authentication/session_status/${session.id}`,
      logout_url: `${origin}/authentication/logout/${session.id}`,
      session_token: session.token,
      session_secret: session.secret,
    },
  })
}

function statusReply(status: ActiveconnectStatus, quirks: ActiveconnectQuirks): SandboxReply {
  const spelt = status === 'timeout' ? quirks.timeoutSpelling : status
  const inner = { authenticated: status === 'active', session_status: quirks.statusWord ?? spelt }
  if (quirks.statusShape === 'flat') return json(200, inner)
  return json(200, { ...(quirks.statusShape === 'both' && inner), authentication_status: inner })
}

function linkReply(state: ActiveconnectState, user: User, request: SandboxRequest, displayName: string): SandboxReply {
  return json(200, {
    status: true,
    register_url: `${originOf(request)}/register/${state.newLink(user, displayName)}`,
  })
}

async function read<S extends z.ZodType>(request: SandboxRequest, schema: S): Promise<z.output<S> | undefined> {
  const bytes = await request.body(1024 * 1024)
  try {
    return schema.safeParse(JSON.parse(bytes?.toString('utf8') ?? '')).data
  } catch {
    return undefined
  }
}

function decode(segment: string | undefined, plusIsSpace = false): string | undefined {
  try {
    return decodeURIComponent(plusIsSpace ? (segment ?? '').replaceAll('+', ' ') : (segment ?? ''))
  } catch {
    return undefined
  }
}
