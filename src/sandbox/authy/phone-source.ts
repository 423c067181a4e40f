import { SandboxError } from '../../errors.js'
import type { PhoneSource } from '../phone/hub.js'
import type { Enrolment, PhoneDevice, PhonePush } from '../phone/model.js'
import type { Approval } from './approval.js'
import type { CallbackSender } from './callback-sender.js'
import { type RegistrationToken, readRegistration } from './registration.js'
import type { AuthyState } from './state.js'
import type { AuthyDevice, AuthyUser } from './user.js'

/** The Authy app on the simulated phone. */
export function authyPhone(state: AuthyState, callbacks: CallbackSender): PhoneSource {
  return {
    provider: 'authy',
    pushes: () => [...state.approvals.values()].map((approval) => push(state, approval)),
    act: async (id, action) => answer(state, callbacks, id, action),
    devices: () => state.users().flatMap((user) => user.devices.map((device) => describe(user, device))),
    enrol: async (enrolment) => enrol(state, enrolment),
    code: (id) => {
      const user = state.users().find((candidate) => candidate.devices.some((device) => deviceId(device) === id))
      if (!user) throw new SandboxError('not-found', 'there is no such device')
      return user.app.code(state.now())
    },
  }
}

function deviceId(device: AuthyDevice): string {
  return `authy-${device.id}`
}

function describe(user: AuthyUser, device: AuthyDevice): PhoneDevice {
  return {
    id: deviceId(device),
    provider: 'authy',
    owner: user.recipient,
    name: device.name,
    showsCode: true,
    enrolledAt: device.createdAt,
    reference: String(user.id),
  }
}

function push(state: AuthyState, approval: Approval): PhonePush {
  const { content, user, createdAt, expiresAt, uuid } = approval
  const status = approval.status(state.now())
  return {
    id: uuid,
    provider: 'authy',
    recipient: user.recipient,
    message: content.message,
    status,
    title: state.settings.appName,
    details: (content.details ?? []).map(([label, value]) => ({ label, value })),
    actions: status === 'pending' ? ['approve', 'deny', 'report'] : [],
    createdAt,
    expiresAt,
    reference: String(user.id),
  }
}

function answer(state: AuthyState, callbacks: CallbackSender, uuid: string, action: string): void {
  const approval = state.approvals.get(uuid)
  const now = state.now()
  const device = approval?.user.devices[0]
  if (!approval || !device) throw new SandboxError('conflict', 'the person has no device any more')
  const status = action === 'approve' ? 'approved' : 'denied'
  approval.answer = { status, flagged: action === 'report', device, at: now }
  callbacks.send(approval, approval.answer)
}

function enrol(state: AuthyState, enrolment: Enrolment): PhoneDevice | undefined {
  const user = whom(state, enrolment)
  if (!user) return undefined
  return describe(user, user.addDevice('android', enrolment.name ?? 'Phone', state.now()))
}

function whom(state: AuthyState, { link, phone, countryCode, reference }: Enrolment): AuthyUser | undefined {
  if (link?.startsWith('authy://account?')) return registered(state, readRegistration(state, link))
  const wanted = link?.startsWith('authy://install?') ? new URL(link).searchParams.get('phone') : phone
  if (reference !== undefined && /^[0-9]{1,15}$/.test(reference)) return state.user(Number(reference))
  if (!wanted) return undefined
  const digits = wanted.replace(/[^0-9]/g, '')
  return state
    .users()
    .find(
      (user) =>
        user.phone !== '' &&
        (user.phone === `+${digits}` ||
          (user.cellphone === digits &&
            (countryCode === undefined || countryCode.replace('+', '') === user.countryCode))),
    )
}

function registered(state: AuthyState, { customUserId }: RegistrationToken): AuthyUser {
  return state.userByCustomId(customUserId) ?? state.addUser({ countryCode: '', cellphone: '', customId: customUserId })
}
