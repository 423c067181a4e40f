import { createApprovals, type ApprovalsOptions, type StartRequest } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { testRuntime } from '../support/test-runtime.js'
import { TestChannel } from './test-channel.js'

/** Approvals on a memory store, a channel of the test, and a clock that the test moves. */
export function approvalsForTest(
  options: { channel?: TestChannel; policy?: ApprovalsOptions['policy']; channels?: TestChannel[] } = {},
) {
  const { runtime, clock } = testRuntime()
  const channel = options.channel ?? new TestChannel()
  const state = new MemoryStateStore({ runtime: { now: runtime.now } })
  const make = () =>
    createApprovals({
      state,
      channels: options.channels ?? [channel],
      runtime: { now: runtime.now, sleep: runtime.sleep },
      ...(options.policy ? { policy: options.policy } : {}),
    })
  return { approvals: make(), another: make, channel, state, clock, runtime }
}

export const login: StartRequest = {
  channel: 'test',
  subject: 'alice',
  reference: '1635',
  purpose: 'login',
  message: 'Sign in to Acme?',
}

export const aliceLogin = { subject: 'alice', purpose: 'login' } as const
