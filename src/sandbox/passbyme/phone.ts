import { SandboxError } from '../../errors.js'
import { passByMeVerdict } from '../../providers/passbyme/wire.js'
import type { PhoneHub } from '../phone/hub.js'
import type { PhoneDevice, PhonePush, PushStatus } from '../phone/model.js'
import type { Directory, DirectoryUser } from './directory.js'
import { isOpen, type Message, type MessageRecipient, type Messages, type PhoneStep } from './messages.js'

const shown = {
  pending: 'pending',
  approved: 'approved',
  seen: 'approved',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
  undeliverable: 'failed',
  error: 'failed',
} as const satisfies Record<string, PushStatus>

const actions: readonly PhoneStep[] = ['approve', 'deny', 'see', 'notify', 'fail-notification', 'download', 'fail']

/** Puts messages and phones of PassBy[ME] on the simulated phone: one push for each recipient who has a device. */
export function addToPhone(hub: PhoneHub, messages: Messages, directory: Directory, now: () => number): void {
  const all = () =>
    messages
      .all()
      .flatMap((message) =>
        message.recipients.map((recipient, index) => ({ message, recipient, id: pushId(message, index) })),
      )
  hub.addSource({
    provider: 'passbyme',
    pushes: () =>
      all()
        .filter(({ recipient }) => recipient.user)
        .map((entry) => pushOf(entry.id, entry.message, entry.recipient, now())),
    act: async (id, action) => {
      const entry = all().find((candidate) => candidate.id === id)
      const step = actions.find((candidate) => candidate === action)
      if (!entry || !step) throw new SandboxError('not-found', 'there is no such push')
      messages.step(entry.message, entry.recipient, step)
    },
    devices: () => [...directory.users.values()].flatMap(devicesOf),
    enrol: async ({ link, name }) => enrol(directory, now(), link, name),
  })
}

function enrol(directory: Directory, now: number, link = '', name?: string): PhoneDevice | undefined {
  const token = /\/enroll\/([0-9a-f]{32})$/.exec(link)?.[1]
  if (token === undefined) return undefined
  for (const user of directory.users.values()) {
    const enrollment = user.enrollments.find((entry) => entry.token === token)
    if (!enrollment) continue
    if (enrollment.state !== 'ACTIVE' || now > enrollment.expiresAt) {
      throw new SandboxError('conflict', 'this enrollment was used or is too old')
    }
    enrollment.state = 'USED'
    directory.addDevice(user, name ?? `Phone of ${user.fullName ?? user.email}`)
    return devicesOf(user).at(-1)
  }
  throw new SandboxError('invalid', 'no such enrollment')
}

function pushOf(id: string, message: Message, recipient: MessageRecipient, now: number): PhonePush {
  const { type, subject, body } = message.body
  const isAuthorization = type === 'authorization'
  const isLive = isOpen(recipient.status) && now < message.expiresAt
  const steps = actions.filter((step) =>
    step === 'see' ? !isAuthorization : step === 'approve' || step === 'deny' ? isAuthorization : true,
  )
  return {
    id,
    provider: 'passbyme',
    recipient: recipient.userId,
    ...(subject === null ? {} : { title: subject }),
    message: body ?? subject ?? '',
    status: shown[passByMeVerdict(recipient.status, type, now >= message.expiresAt)],
    details: [{ label: 'Status', value: recipient.status }],
    compareCode: message.secureId,
    actions: isLive ? steps : [],
    createdAt: message.createdAt,
    expiresAt: message.expiresAt,
  }
}

function devicesOf(user: DirectoryUser): readonly PhoneDevice[] {
  const owner = [...user.aliases][0] ?? user.oid
  return user.devices.map(({ vendorId, name, enrolledAt }) => ({
    id: vendorId,
    provider: 'passbyme',
    owner,
    name,
    showsCode: false,
    enrolledAt,
  }))
}

function pushId(message: Message, index: number): string {
  return `passbyme-${message.id.replace(/[^A-Za-z0-9]/g, '-')}-${index}`
}
