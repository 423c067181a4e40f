import { createApprovals, type ApprovalChannel } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { expect, test } from 'vitest'
import { testRuntime } from '../support/test-runtime.js'
import { answerBody, posted, receiving, sentAt, type Receiver } from './one-touch-support.js'

const uuid = '996201c0-b7a7-0133-7c06-0e67b818e6fb'

/** Puts questions to nobody: only callbacks decide. */
const channel: ApprovalChannel = {
  name: 'authy',
  factor: 'push',
  amr: ['mca'],
  proof: 'approve',
  start: async () => ({ reference: uuid }),
  check: async () => ({ decisions: [] }),
}

async function begun(): Promise<{ app: Receiver; status: () => Promise<string> }> {
  const { runtime } = testRuntime(sentAt * 1000)
  const state = new MemoryStateStore({ runtime: { now: runtime.now } })
  const approvals = createApprovals({ state, channels: [channel], runtime: { now: runtime.now, sleep: runtime.sleep } })
  const app = await receiving({ approvals, state })
  const question = { channel: 'authy', subject: 'alice', reference: '1234567', purpose: 'login', message: 'Sign in?' }
  const started = await approvals.start(question)
  return { app, status: async () => (await approvals.status(started)).status }
}

const answer = (status: 'approved' | 'denied', nonce: number, change = {}) =>
  posted({ nonce: String(sentAt + nonce), body: JSON.stringify(answerBody({ status, ...change })) })

test.each([
  [['approved', 'denied'], 'approved'],
  [['denied', 'approved'], 'denied'],
  [['approved', 'approved', 'denied'], 'approved'],
  [['denied', 'denied', 'approved', 'approved'], 'denied'],
] as const)(
  'of the callbacks %j the first decides, and later ones change nothing [SC 49]',
  async (statuses, outcome) => {
    const { app, status } = await begun()
    expect(await status()).toBe('pending')
    for (const [index, each] of statuses.entries())
      expect(await app.send(answer(each, index))).toMatchObject({ status: 200 })
    expect(await status()).toBe(outcome)
  },
)

test('a callback for another person, or for a request that we never made, changes nothing [SC 30]', async () => {
  const { app, status } = await begun()
  expect(await app.send(answer('approved', 0, { authy_id: 7654321 }))).toMatchObject({ status: 403, body: '' })
  expect(await app.send(answer('approved', 1, { uuid: uuid.replace('9', '8') }))).toMatchObject({
    status: 403,
    body: '',
  })
  expect(await status()).toBe('pending')
  expect(app.events).toEqual([])
})

test('a repeated approval settles nothing again [SC 29]', async () => {
  const { app, status } = await begun()
  for (let turn = 0; turn < 3; turn += 1) expect(await app.send(answer('approved', 0))).toMatchObject({ status: 200 })
  expect(await status()).toBe('approved')
  expect(app.events).toHaveLength(1)
})
