import type { Approvals, ApprovalStatus, StartedApproval } from 'passport-outofband'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { settle } from '../support/test-runtime.js'
import { approvalsForTest, login } from './support.js'
import type { TestChannel } from './test-channel.js'

// The life of an approval by two officers out of three, told a second time in as few words as possible, and compared
// with what the public face does, for histories of callbacks, polls, time, redeems and cancels in every order.
const officers = ['ann', 'ben', 'cleo'] as const
type Officer = (typeof officers)[number]
type Say = 'approved' | 'denied'

interface Model {
  status: ApprovalStatus
  said: Map<Officer, Say>
  now: number
  decidedAt: number
  redeems: number
}

interface Real {
  readonly approvals: Approvals
  readonly channel: TestChannel
  readonly advance: (ms: number) => void
  readonly poll: () => Promise<void>
  readonly started: StartedApproval
  redeems: number
}

const ttlMs = 120_000
const bound = { amount: 5 }

function passTime(model: Model): void {
  if (model.status === 'pending' && model.now >= ttlMs) model.status = 'expired'
  if (model.status === 'approved' && model.now > Math.max(model.decidedAt + 60_000, ttlMs)) model.status = 'expired'
}

function hear(model: Model, officer: Officer, say: Say): void {
  passTime(model)
  if (model.status !== 'pending' || model.said.has(officer)) return
  model.said.set(officer, say)
  const count = (what: Say): number => [...model.said.values()].filter((said) => said === what).length
  if (count('approved') === 2) model.status = 'approved'
  else if (count('denied') === 2) model.status = 'denied'
  if (model.status !== 'pending') model.decidedAt = model.now
}

async function agree(model: Model, real: Real): Promise<void> {
  passTime(model)
  expect(await real.approvals.status(real.started)).toMatchObject({ status: model.status })
  expect(real.redeems).toBe(model.redeems)
  expect(real.redeems).toBeLessThanOrEqual(1)
}

type Command = fc.AsyncCommand<Model, Real>

function command(name: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      await run(model, real)
      await agree(model, real)
    },
    toString: () => name,
  }
}

const officerAt = (index: number): Officer => officers[index]!

const callback = (index: number, say: Say): Command =>
  command(`callback(${officerAt(index)}, ${say})`, async (model, real) => {
    const recipientReference = `${officerAt(index)}@bank`
    const settlement = { channel: 'test', reference: `question-${index + 1}`, recipientReference, status: say }
    hear(model, officerAt(index), say)
    await real.approvals.settle(settlement)
  })

const pollAnswer = (answers: readonly (Say | undefined)[]): Command =>
  command(`poll(${answers.join()})`, async (model, real) => {
    for (const [index, say] of answers.entries()) {
      if (!say) continue
      real.channel.answer(say, { question: `question-${index + 1}` })
    }
    // The poller asks about all three; whoever was heard before is not heard again.
    await real.poll()
    for (const [index, officer] of officers.entries()) {
      const said = real.channel.question(`question-${index + 1}`).answers.get(`${officer}@bank`)?.status
      if (said === 'approved' || said === 'denied') hear(model, officer, said)
    }
  })

const passing = (ms: number): Command =>
  command(`advance(${ms})`, async (model, real) => {
    model.now += ms
    real.advance(ms)
  })

const redeeming = (times: number, amount: number): Command =>
  command(`redeem(${times} times, amount ${amount})`, async (model, real) => {
    passTime(model)
    if (model.status === 'approved' && amount === bound.amount) {
      model.status = 'redeemed'
      model.redeems += 1
    }
    const request = { ...real.started, subject: 'alice', purpose: 'transfer', bound: { amount } }
    const outcomes = await Promise.allSettled(Array.from({ length: times }, () => real.approvals.redeem(request)))
    real.redeems += outcomes.filter((outcome) => outcome.status === 'fulfilled').length
  })

const cancelling = command('cancel', async (model, real) => {
  passTime(model)
  if (model.status === 'pending') model.status = 'cancelled'
  await real.approvals.cancel(real.started)
})

const says = fc.constantFrom<Say>('approved', 'denied')
const commands = [
  fc.tuple(fc.nat(2), says).map(([index, say]) => callback(index, say)),
  fc.tuple(...[1, 2, 3].map(() => fc.option(says, { nil: undefined }))).map(pollAnswer),
  fc.constantFrom(1, 1_000, 59_999, 60_000, 60_001, 120_000).map(passing),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(5, 5, 5, 6))
    .map(([times, amount]) => redeeming(times, amount)),
  fc.constant(cancelling),
]

test('for every history the approval stands where the model stands, and is redeemed once at most [SC 27, 29, 31, 49]', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 12 }), async (history) => {
      const real = await begin()
      const model: Model = { status: 'pending', said: new Map(), now: 0, decidedAt: 0, redeems: 0 }
      await fc.asyncModelRun(() => ({ model, real }), history)
    }),
    { numRuns: 400 },
  )
})

async function begin(): Promise<Real> {
  const { approvals, channel, clock, state } = approvalsForTest()
  const recipients = officers.map((subject) => ({ subject, reference: `${subject}@bank` }))
  const rule = { atLeast: 2 }
  const { reference: _, ...rest } = login
  const started = await approvals.start({ ...rest, recipients, purpose: 'transfer', bound, rule })
  // The worker runs one round, until it has nothing more to do and sleeps.
  const poll = async (): Promise<void> => {
    await state.schedule('approvals', started.id, clock.now())
    const stop = new AbortController()
    const running = approvals.run({ signal: stop.signal })
    await settle()
    stop.abort()
    await running
  }
  return { approvals, channel, advance: (ms) => clock.set(clock.now() + ms), poll, started, redeems: 0 }
}
