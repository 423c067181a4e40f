import diagnostics from 'node:diagnostics_channel'
import {
  InvalidInputError,
  InvalidOptionError,
  notifyOfUnusualEvents,
  reportFactorChange,
  type Logger,
  type Notice,
  type NoticesOptions,
} from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { afterEach, expect, test } from 'vitest'
import { testRuntime } from '../support/test-runtime.js'
import { waitFor } from '../support/wait-for.js'
import { approvalsForTest, login } from './support.js'

const running: (() => void)[] = []
afterEach(() => {
  for (const stop of running.splice(0)) stop()
})

function listen(options: Partial<NoticesOptions> = {}) {
  const { runtime, clock } = testRuntime()
  const notices: Notice[] = []
  const state = new MemoryStateStore({ runtime })
  const stop = notifyOfUnusualEvents({ state, notify: (notice) => notices.push(notice), ...options })
  running.push(stop)
  return { notices, clock, runtime, stop }
}

const limited = { subject: 'alice', factor: 'totp', result: 'limited', at: 5 }
const tell = (event: unknown): void => diagnostics.channel('passport-outofband:factor').publish(event)
const turns = () => new Promise((resolve) => setImmediate(resolve))

test('a person is told of a factor that was added, changed or removed, each time [SC 6, 93]', async () => {
  const { notices, runtime } = listen()
  for (const change of ['added', 'changed', 'removed', 'added'] as const) {
    reportFactorChange({ subject: 'alice', factor: 'totp', change }, { runtime })
  }
  await turns()
  const at = runtime.now()
  expect(notices).toEqual(
    ['factor-added', 'factor-changed', 'factor-removed', 'factor-added'].map((kind) => ({
      subject: 'alice',
      kind,
      factor: 'totp',
      at,
    })),
  )
})

test('a change is a record too [SC 91]', () => {
  const lines: unknown[] = []
  const write = (...line: unknown[]): void => void lines.push(line)
  const logger: Logger = { debug: write, info: write, warn: write, error: write }
  reportFactorChange({ subject: 'alice', factor: 'push', change: 'removed' }, { logger })
  expect(lines).toEqual([
    [expect.objectContaining({ subject: 'alice', factor: 'push', result: 'removed' }), 'factor removed'],
  ])
})

test('a person is told of a question in their name that was denied [SC 93]', async () => {
  const { notices } = listen()
  const { approvals, channel } = approvalsForTest()
  await approvals.start(login)
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'denied' })
  await turns()
  expect(notices).toEqual([{ subject: 'alice', kind: 'denied', factor: 'test', at: expect.any(Number) as number }])
})

test('an attacker’s many tries are told once an hour, whatever the processes [SC 93]', async () => {
  const { notices, clock, runtime } = listen()
  const shared = new MemoryStateStore({ runtime })
  const twice = [listen({ state: shared }), listen({ state: shared })]
  for (let round = 0; round < 100; round += 1) tell(limited)
  tell({ ...limited, subject: 'bob' })
  await turns()
  expect(notices.map(({ subject, kind }) => [subject, kind])).toEqual([
    ['alice', 'limited'],
    ['bob', 'limited'],
  ])
  expect(twice.flatMap((one) => one.notices)).toHaveLength(2)
  await clock.advance(3_601_000)
  tell(limited)
  await turns()
  expect(notices).toHaveLength(3)
})

test('nobody is told of what is usual', async () => {
  const { notices } = listen()
  for (const result of ['passed', 'failed', 'completed', 'ended', '__proto__', undefined]) tell({ ...limited, result })
  for (const event of [null, 'x', {}, { ...limited, subject: 5 }]) tell(event)
  const { approvals, channel } = approvalsForTest()
  await approvals.start(login)
  await approvals.settle({ channel: 'test', reference: channel.newest, recipientReference: '1635', status: 'approved' })
  await turns()
  expect(notices).toEqual([])
})

test('a notice that can not be given harms nothing, and a store that is away silences none [SC 94]', async () => {
  const errors: unknown[] = []
  const ignore = (): void => undefined
  const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (...line) => void errors.push(line) }
  listen({ logger, notify: () => Promise.reject(new Error('no mail')) })
  listen({
    logger,
    notify: () => {
      throw new Error('no mail')
    },
  })
  const away = listen({
    state: Object.assign(new MemoryStateStore(), { putIfAbsent: () => Promise.reject(new Error('away')) }),
  })
  reportFactorChange({ subject: 'alice', factor: 'totp', change: 'added' })
  tell(limited)
  await waitFor(() => errors.length === 4)
  await waitFor(() => away.notices.length === 2)
})

test('it ends when it is told to', async () => {
  const { notices, stop } = listen()
  stop()
  reportFactorChange({ subject: 'alice', factor: 'totp', change: 'added' })
  await turns()
  expect(notices).toEqual([])
})

test.each([{ subject: '' }, { factor: 'no name' }, { change: 'renamed' }, { code: '123456' }])(
  'a change with %j is refused',
  (wrong) => {
    const change = { subject: 'alice', factor: 'totp', change: 'added', ...wrong }
    expect(() => reportFactorChange(change as never)).toThrow(InvalidInputError)
    expect(() => notifyOfUnusualEvents({ state: new MemoryStateStore() } as never)).toThrow(InvalidOptionError)
  },
)
