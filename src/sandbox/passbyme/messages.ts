import { randomBytes } from 'node:crypto'
import { SandboxError } from '../../errors.js'
import type { PassByMeMessageType, PassByMeStatus, SendBody } from '../../providers/passbyme/wire.js'
import type { DirectoryUser } from './directory.js'

export interface MessageRecipient {
  /** Exactly as it was asked for. */
  readonly userId: string
  readonly user: DirectoryUser | undefined
  status: PassByMeStatus
}

export interface Message {
  readonly id: string
  /** Which API it came over: that of the messages, or that of 2015. Neither knows the other's ids. */
  readonly api: MessageApi
  readonly application: string
  readonly body: SendBody
  readonly secureId: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly recipients: readonly MessageRecipient[]
}

export type MessageApi = 'messages' | 'authentication'

/** What a phone, or the network to it, can do with a message. */
export type PhoneStep = 'notify' | 'fail-notification' | 'download' | 'approve' | 'deny' | 'see' | 'fail'

const steps: Readonly<Record<PhoneStep, PassByMeStatus>> = {
  notify: 'NOTIFIED',
  'fail-notification': 'NOT_NOTIFIED',
  download: 'DOWNLOADED',
  approve: 'APPROVED',
  deny: 'DENIED',
  see: 'SEEN',
  fail: 'FAILED',
}

const transitions: Readonly<Partial<Record<PassByMeStatus, readonly PassByMeStatus[]>>> = {
  PENDING: ['NOTIFIED', 'NOT_NOTIFIED', 'DOWNLOADED', 'FAILED', 'CANCELLED'],
  NOT_NOTIFIED: ['NOTIFIED', 'DOWNLOADED', 'CANCELLED'],
  NOTIFIED: ['DOWNLOADED', 'FAILED', 'CANCELLED'],
  DOWNLOADED: ['APPROVED', 'DENIED', 'SEEN', 'FAILED', 'CANCELLED'],
}

const atExpiry: Readonly<Partial<Record<PassByMeStatus, PassByMeStatus>>> = {
  PENDING: 'NOT_NOTIFIED',
  NOTIFIED: 'NOT_DOWNLOADED',
  DOWNLOADED: 'NOT_SEEN',
}

const KEEP_MS = 86_400_000
const MESSAGES_KEPT = 10_000
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'

/** The messages of all applications. */
export class Messages {
  readonly #messages = new Map<string, Message>()
  readonly #now: () => number
  readonly #onChange: (message: Message) => void

  constructor(now: () => number, onChange: (message: Message) => void) {
    this.#now = now
    this.#onChange = onChange
  }

  send(
    { application, api }: Pick<Message, 'application' | 'api'>,
    body: SendBody,
    find: (userId: string) => DirectoryUser | undefined,
  ): Message {
    const now = this.#now()
    const secureId = word(6)
    const message: Message = {
      id: api === 'messages' ? `@core1-${application}-${word(8)}` : `node1-${application};${secureId}`,
      api,
      application,
      body,
      secureId,
      createdAt: now,
      expiresAt: now + body.availability * 1000,
      recipients: body.recipients.map((userId) => {
        const user = find(userId)
        return { userId, user, status: firstStatus(user) }
      }),
    }
    this.#messages.set(message.id, message)
    for (const id of this.#messages.keys()) {
      if (this.#messages.size <= MESSAGES_KEPT) break
      this.#messages.delete(id)
    }
    this.#onChange(message)
    return message
  }

  /** All that are remembered, brought up to the present. */
  all(): readonly Message[] {
    return [...this.#messages.values()].map((message) => this.#expire(message))
  }

  /** One of the application's own. Somebody else's is as good as none. */
  find({ application, api }: Pick<Message, 'application' | 'api'>, id: string): Message | undefined {
    const message = this.#messages.get(id)
    if (message?.application !== application || message.api !== api) return undefined
    if (this.#now() > message.expiresAt + KEEP_MS) return undefined
    return this.#expire(message)
  }

  /** False when nobody was pending any more. */
  cancel(message: Message): boolean {
    const open = message.recipients.filter(({ status }) => isOpen(status))
    if (open.length === 0 || this.#now() >= message.expiresAt) return false
    for (const recipient of open) recipient.status = 'CANCELLED'
    this.#onChange(message)
    return true
  }

  /** @throws SandboxError `conflict` for a step that the service does not know. Deciding implies fetching. */
  step(message: Message, recipient: MessageRecipient, step: PhoneStep): void {
    this.#expire(message)
    const to = steps[step]
    const isDecision = step === 'approve' || step === 'deny' || step === 'see'
    const from = isDecision && canFetch(recipient.status) && !this.isOver(message) ? 'DOWNLOADED' : recipient.status
    const allowed = this.isOver(message) ? [] : (transitions[from] ?? [])
    if (!allowed.includes(to) || !fits(to, message.body.type)) {
      throw new SandboxError('conflict', `a recipient can't go from ${recipient.status} to ${to}`)
    }
    recipient.status = to
    this.#onChange(message)
  }

  /** Phones can't fetch or answer it any more. */
  isOver(message: Message): boolean {
    return this.#now() >= message.expiresAt
  }

  #expire(message: Message): Message {
    if (!this.isOver(message)) return message
    for (const recipient of message.recipients) recipient.status = atExpiry[recipient.status] ?? recipient.status
    return message
  }
}

/** Whether the person may still answer. */
export function isOpen(status: PassByMeStatus): boolean {
  return transitions[status] !== undefined
}

/** The answer to send, track and cancel. */
export function sessionInfo(message: Message): object {
  return {
    messageId: message.id,
    expirationDate: new Date(message.expiresAt).toISOString(),
    recipients: message.recipients.map(({ userId, status }) => ({ userId, status })),
    secureId: message.secureId,
  }
}

function firstStatus(user: DirectoryUser | undefined): PassByMeStatus {
  if (!user) return 'FAILED'
  if (user.disabled) return 'DISABLED'
  return user.devices.length === 0 ? 'NO_DEVICE' : 'PENDING'
}

function canFetch(status: PassByMeStatus): boolean {
  return status === 'PENDING' || status === 'NOTIFIED' || status === 'NOT_NOTIFIED'
}

function fits(status: PassByMeStatus, type: PassByMeMessageType): boolean {
  if (status === 'SEEN') return type !== 'authorization'
  return status === 'APPROVED' || status === 'DENIED' ? type === 'authorization' : true
}

function word(length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % ALPHABET.length]).join('')
}
