import type { StartRequest } from 'passport-outofband'
import { expect, test } from 'vitest'
import { approvalsForTest } from './support.js'
import { TestChannel } from './test-channel.js'

const officers = ['ann', 'ben', 'cleo'].map((subject) => ({ subject, reference: `${subject}@bank.example` }))
const transfer: StartRequest = {
  channel: 'test',
  subject: 'alice',
  recipients: officers,
  purpose: 'transfer',
  bound: { amount: 1_000_000 },
  message: 'Pay 10,000.00 EUR?',
  rule: { atLeast: 2 },
}
const good = { subject: 'alice', purpose: 'transfer', bound: { amount: 1_000_000 } }

function several(options: ConstructorParameters<typeof TestChannel>[0] = {}) {
  const made = approvalsForTest({ channel: new TestChannel(options) })
  const say = (officer: number, status: 'approved' | 'denied') => {
    const recipientReference = officers[officer]!.reference
    const reference = options.maxRecipients === 3 ? 'question-1' : `question-${officer + 1}`
    return made.approvals.settle({ channel: 'test', reference, recipientReference, status })
  }
  return { ...made, say }
}

test('two of three: one is not enough, one twice is not two, two are enough and the third is withdrawn', async () => {
  const { approvals, say, channel } = several({ cancels: true })
  const started = await approvals.start(transfer)
  expect(await say(0, 'approved')).toBe('settled')
  expect(await say(0, 'approved')).toBe('unchanged')
  expect(await approvals.status(started)).toMatchObject({ status: 'pending', needed: 2, given: 1 })
  await expect(approvals.redeem({ ...started, ...good })).rejects.toMatchObject({ reason: 'pending' })
  await say(2, 'approved')
  const redeemed = await approvals.redeem({ ...started, ...good })
  expect(redeemed.approvedBy.map((recipient) => recipient.subject)).toEqual(['ann', 'cleo'])
  expect(channel.question('question-2').cancelled).toBe(true)
})

test('a denial is no veto unless it is said so, and ends it as soon as the rule is out of reach', async () => {
  const { approvals, say } = several()
  const started = await approvals.start(transfer)
  await say(0, 'denied')
  expect(await approvals.status(started)).toMatchObject({ status: 'pending' })
  await say(1, 'denied')
  expect(await approvals.status(started)).toMatchObject({ status: 'denied' })

  const vetoed = several()
  const second = await vetoed.approvals.start({ ...transfer, vetoes: true })
  await vetoed.say(1, 'denied')
  expect(await vetoed.approvals.status(second)).toMatchObject({ status: 'denied' })
})

test('any and all', async () => {
  const any = several()
  const first = await any.approvals.start({ ...transfer, rule: 'any' })
  await any.say(1, 'approved')
  expect(await any.approvals.status(first)).toMatchObject({ status: 'approved', needed: 1 })

  const all = several({ maxRecipients: 3 })
  const second = await all.approvals.start({ ...transfer, rule: 'all' })
  expect(all.channel.questions.size).toBe(1)
  for (const officer of [0, 1, 2]) {
    expect(await all.approvals.status(second)).toMatchObject({ status: 'pending', given: officer })
    await all.say(officer, 'approved')
  }
  expect(await all.approvals.status(second)).toMatchObject({ status: 'approved', given: 3 })
})

test('an officer answers only the question that was put to that officer [SC 30]', async () => {
  const { approvals } = several()
  await approvals.start(transfer)
  const crossed = { channel: 'test', reference: 'question-1', recipientReference: officers[1]!.reference }
  expect(await approvals.settle({ ...crossed, status: 'approved' })).toBe('unknown')
})

test('one person under two ids, and the requester under any, do not count', async () => {
  const people = { 'ann@bank.example': 'p1', 'ann-alias': 'p1', 'alice-alias': 'p9', 'alice@bank.example': 'p9' }
  const { approvals, channel } = several({ people })
  const ask = (recipients: StartRequest['recipients'], more: Partial<StartRequest> = {}) =>
    approvals.start({ ...transfer, ...more, ...(recipients ? { recipients } : {}), rule: 'all' })
  const [ann, ben] = officers
  const alias = { subject: 'annie', reference: 'ann-alias' }
  await expect(ask([ann!, alias])).rejects.toMatchObject({ code: 'ERR_INPUT', field: 'recipients' })
  await expect(ask([ann!, ann!])).rejects.toMatchObject({ code: 'ERR_INPUT', field: 'recipients' })
  await expect(ask([ann!, { subject: 'alice', reference: 'a' }])).rejects.toMatchObject({ field: 'recipients' })
  const requester = { subject: 'somebody', reference: 'alice-alias' }
  await expect(ask([ben!, requester], { reference: 'alice@bank.example' })).rejects.toMatchObject({
    field: 'recipients',
  })
  expect(channel.questions.size).toBe(0)
  await expect(ask([ben!, requester], { reference: 'alice@bank.example', allowSelf: true })).resolves.toBeDefined()
})

test('when one of them can not be asked, nobody is left with a question', async () => {
  const { approvals, channel } = several({ cancels: true })
  const start = channel.start.bind(channel)
  channel.start = async (request) => {
    if (channel.questions.size === 2) throw new Error('down')
    return start(request)
  }
  await expect(approvals.start(transfer)).rejects.toThrow('down')
  expect(channel.question('question-1').cancelled).toBe(true)
  expect(channel.question('question-2').cancelled).toBe(true)
})

test('a remote session that an approval leaves is ended at sign-out, also when that fails at first', async () => {
  const { approvals, channel, clock, another } = several({ releases: true })
  const request: StartRequest = {
    channel: 'test',
    subject: 'alice',
    reference: '1',
    purpose: 'login',
    message: 'Sign in?',
  }
  const started = await approvals.start(request)
  await approvals.settle({ channel: 'test', reference: 'question-1', recipientReference: '1', status: 'approved' })
  const { release } = await approvals.redeem({ ...started, subject: 'alice', purpose: 'login' })
  channel.failing.release = new Error('down')
  await approvals.release(release!)
  expect(channel.released).toEqual([])
  delete channel.failing.release
  // Another process, after a restart.
  const stop = new AbortController()
  const running = another().run({ signal: stop.signal })
  await clock.advance(5_000)
  stop.abort()
  await running
  expect(channel.released).toEqual(['question-1'])
})
