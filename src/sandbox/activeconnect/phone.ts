import { SandboxError } from '../../errors.js'
import type { ActiveconnectStatus } from '../../providers/activeconnect/wire.js'
import { json } from '../http-message.js'
import type { PhoneHub } from '../phone/hub.js'
import type { PhoneDevice, PhonePush, PushStatus } from '../phone/model.js'
import { Router } from '../router.js'
import type { ActiveconnectState, Session, User } from './state.js'

const shown: Readonly<Record<ActiveconnectStatus, PushStatus>> = {
  pending: 'pending',
  identifying: 'pending',
  active: 'approved',
  walkaway: 'approved',
  timeout: 'expired',
  failed: 'failed',
  cancelled: 'denied',
  closed: 'cancelled',
  unknown: 'failed',
}

const actions: Readonly<Record<string, readonly string[]>> = {
  pending: ['approve', 'deny', 'identify', 'fail'],
  identifying: ['approve', 'deny', 'fail'],
  active: ['close', 'walk-away'],
  walkaway: ['close', 'come-back'],
}

/** Puts sessions and phones of Activeconnect on the simulated phone. */
export function addToPhone(hub: PhoneHub, state: ActiveconnectState): void {
  hub.addSource({
    provider: 'activeconnect',
    pushes: () => [...state.sessions.values()].map((session) => pushOf(state, session)),
    act: async (id, action) => act(state, sessionOfPush(state, id), action),
    devices: () => state.users().flatMap((user) => deviceOf(user)),
    enrol: async ({ link, name }) => {
      const token = /^https?:\/\/[^/]+\/register\/([0-9a-f]{32})$/.exec(link ?? '')?.[1]
      if (token === undefined) return undefined
      return deviceOf(state.openLink(token, name))[0]
    },
    setPresence: (deviceId, presence) => {
      const user = state.users().find(({ device }) => device?.id === deviceId)
      if (!user?.device) throw new SandboxError('not-found', 'there is no such device')
      state.setPresence(user, user.device, presence)
    },
  })
  hub.addControls('activeconnect', controls(state))
}

function controls(state: ActiveconnectState): Router {
  return new Router()
    .add('POST', '/sessions/:id/close-by-administrator', (_request, { id = '' }) => {
      state.close(sessionOfPush(state, id))
      return json(200, { status: true })
    })
    .add('POST', '/users/:user/unregister', (_request, { user = '' }) => {
      const found = state.users().find(({ id }) => id === decodeURIComponent(user))
      if (!found) throw new SandboxError('not-found', 'there is no such user')
      state.dropDevice(found)
      return json(200, { status: true })
    })
}

function pushOf(state: ActiveconnectState, session: Session): PhonePush {
  const status = state.current(session)
  return {
    id: pushId(session),
    provider: 'activeconnect',
    recipient: session.user.id,
    title: 'Activeconnect',
    // The protocol carries no text: the phone knows only who asks.
    message: `Sign in to application ${session.user.app}`,
    status: status === 'closed' && session.approvedAt !== undefined ? 'approved' : shown[status],
    details: [
      { label: 'Session', value: status },
      ...(session.methods.length > 0 ? [{ label: 'Proofs', value: session.methods.join(', ') }] : []),
    ],
    actions: actions[status] ?? [],
    createdAt: session.createdAt,
    expiresAt: session.createdAt + 60_000,
  }
}

function act(state: ActiveconnectState, session: Session, action: string): void {
  switch (action) {
    case 'approve':
      if (state.current(session) === 'pending') state.move(session, 'identifying')
      return state.move(session, 'active')
    case 'deny':
      return state.move(session, 'cancelled')
    case 'identify':
      return state.move(session, 'identifying')
    case 'fail':
      return state.move(session, 'failed')
    case 'walk-away':
      return state.move(session, 'walkaway')
    case 'come-back':
      return state.move(session, 'active')
    case 'close':
      return state.close(session)
    default:
      throw new SandboxError('invalid', `a phone can't ${action}`)
  }
}

function deviceOf(user: User): readonly PhoneDevice[] {
  const { device } = user
  if (!device) return []
  return [{ ...device, provider: 'activeconnect', owner: user.id, showsCode: false }]
}

function pushId(session: Session): string {
  return `activeconnect-${session.id}`
}

function sessionOfPush(state: ActiveconnectState, id: string): Session {
  const session = [...state.sessions.values()].find((entry) => pushId(entry) === id)
  if (!session) throw new SandboxError('not-found', 'there is no such session')
  return session
}
