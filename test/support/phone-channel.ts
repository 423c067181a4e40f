import type { ApprovalChannel, ChannelStatus } from 'passport-outofband'

/** A channel whose phone is in the hands of the test. */
export interface PhoneChannel extends ApprovalChannel {
  /** References of the questions that were put, oldest first. */
  readonly asked: string[]
  /** Messages as the person reads them. */
  readonly messages: string[]
  /** Decides the newest question. */
  decide(status: ChannelStatus): void
  /** The provider is down: every call rejects. */
  isDown: boolean
}

/** An {@link ApprovalChannel} without a provider. */
export function phoneChannel(name = 'authy', factor = 'push'): PhoneChannel {
  const decisions = new Map<string, ChannelStatus>()
  const asked: string[] = []
  const messages: string[] = []
  const channel: PhoneChannel = {
    name,
    factor,
    amr: ['mca'],
    proof: 'approve',
    pollIntervalMs: 100,
    asked,
    messages,
    isDown: false,
    decide(status) {
      const newest = asked.at(-1)
      if (newest !== undefined) decisions.set(newest, status)
    },
    async start({ message }) {
      if (channel.isDown) throw new Error('the provider is down')
      const reference = `question-${asked.length + 1}`
      asked.push(reference)
      messages.push(message)
      return { reference }
    },
    async check({ reference, recipients }) {
      if (channel.isDown) throw new Error('the provider is down')
      const status = decisions.get(reference) ?? 'pending'
      return { decisions: recipients.map((recipient) => ({ reference: recipient.reference, status })) }
    },
  }
  return channel
}
