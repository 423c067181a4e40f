import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import { createApprovals, type ChannelHandle, type StartRequest } from 'passport-outofband'
import {
  PassByMeClient,
  PassByMeManagementClient,
  PassByMeStatus,
  passByMeChannel,
  passByMeVerdict,
} from 'passport-outofband/passbyme'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { listening } from '../../support/listen.js'
import { waitFor } from '../../support/wait-for.js'

const [ALICE, BOB, CAROL] = ['alice@example.org', 'bob@example.org', 'carol@example.org'] as const
let sandbox: Sandbox
let client: PassByMeClient
let management: PassByMeManagementClient
let channel: ReturnType<typeof passByMeChannel>

beforeAll(async () => {
  sandbox = await startSandbox()
  const { url, managementUrl, pemFile, organisationPemFile, caFile, passphrase } = sandbox.passbyme
  client = new PassByMeClient({ baseUrl: url, cert: pemFile, passphrase, ca: caFile, allowLoopbackCallback: true })
  management = new PassByMeManagementClient({
    baseUrl: managementUrl,
    cert: organisationPemFile,
    passphrase,
    ca: caFile,
  })
  channel = passByMeChannel(client, { management, subject: 'Acme' })
})
afterAll(async () => {
  client.close()
  management.close()
  await sandbox.close()
})
afterEach(() => {
  Object.assign(sandbox.passbyme.quirks, { statusWord: undefined, change: undefined })
})

const person = (subject: string, reference: string) => ({ subject, reference })
const approvalsOf = () => createApprovals({ state: new MemoryStateStore(), channels: [channel] })

async function ask(...references: readonly string[]): Promise<ChannelHandle> {
  const recipients = references.map((reference) => person(`user of ${reference}`, reference))
  const request = {
    approvalId: 'a',
    message: 'Pay 10 EUR to Bob?',
    details: { Place: 'Budapest' },
    recipients,
    expiresAt: Date.now() + 60_000,
  }
  return { ...(await channel.start(request, {})), recipients }
}

describe('passByMeChannel', () => {
  it('shows the message and its details on the phone, and the code on both sides', async () => {
    const recipients = [person('u', ALICE)]
    const request = {
      approvalId: 'a',
      message: 'Hello?',
      details: { Place: 'Budapest' },
      recipients,
      expiresAt: Date.now() + 60_000,
    }
    const started = await channel.start(request, {})
    const [push] = sandbox.phone.pushes({ recipient: ALICE })
    expect(push).toMatchObject({ title: 'Acme', message: 'Hello?\nPlace: Budapest', compareCode: started.code })
    expect(channel.proof).toBe('compare')
  })

  test.each([
    ['another recipient', [{ userId: 'mallory', status: 'APPROVED' }]],
    [
      'one recipient more',
      [
        { userId: ALICE, status: 'PENDING' },
        { userId: 'mallory', status: 'APPROVED' },
      ],
    ],
    ['nobody', []],
  ])('takes no question up whose answer names %s, and withdraws it [SC 30, 86]', async (_why, recipients) => {
    const before = new Set(sandbox.phone.pushes().map(({ id }) => id))
    sandbox.passbyme.quirks.change = (body) => ({ ...body, recipients })
    await expect(ask(ALICE)).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
    const asked = sandbox.phone.pushes().filter(({ id }) => !before.has(id))
    expect(asked.map(({ status }) => status)).toEqual(['cancelled'])
  })

  test.each(Object.values(PassByMeStatus))('reads %s as the guide says [SC 31]', async (status) => {
    const expected: Record<string, string> = { seen: 'pending', undeliverable: 'failed', error: 'failed' }
    const verdict = passByMeVerdict(status, 'authorization')
    const handle = await ask(ALICE)
    sandbox.passbyme.quirks.statusWord = status
    expect((await channel.check(handle, {})).decisions).toEqual([
      { reference: ALICE, status: expected[verdict] ?? verdict },
    ])
  })

  test.each(['SEEN', 'approved', 'ACCEPTED', '__proto__', ''])('lets nobody in by %j [SC 31]', async (status) => {
    const handle = await ask(ALICE)
    sandbox.passbyme.quirks.statusWord = status
    expect((await channel.check(handle, {})).decisions[0]!.status).toBe('pending')
  })

  test.each([
    ['somebody else', [{ userId: 'mallory', status: 'APPROVED' }]],
    [
      'somebody more',
      [
        { userId: ALICE, status: 'PENDING' },
        { userId: 'mallory', status: 'APPROVED' },
      ],
    ],
    [
      'the same person twice',
      [
        { userId: ALICE, status: 'DENIED' },
        { userId: ALICE, status: 'APPROVED' },
      ],
    ],
    ['an id that differs in case', [{ userId: ALICE.toUpperCase(), status: 'APPROVED' }]],
    ['nobody', []],
  ])('takes no answer that names %s [SC 30]', async (_why, recipients) => {
    const handle = await ask(ALICE)
    sandbox.passbyme.quirks.change = (info) => ({ ...info, recipients })
    await expect(channel.check(handle, {})).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
  })

  it('takes no answer about another message [SC 30]', async () => {
    const handle = await ask(ALICE)
    sandbox.passbyme.quirks.change = (info) => ({ ...info, messageId: 'other' })
    await expect(channel.check(handle, {})).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
  })

  test.each([
    ['a service error', { kind: 'error', status: 420, code: 'NOT_FOUND' }, true],
    ['a service that asks to come again', { kind: 'error', status: 420, code: 'SERVICE_UNAVAILABLE' }, false],
    ['401', { kind: 'error', status: 401 }, true],
    ['403', { kind: 'error', status: 403 }, true],
    ['404', { kind: 'error', status: 404 }, false],
    ['500', { kind: 'error', status: 500 }, false],
    ['a lost connection', { kind: 'reset' }, false],
    ['half an answer', { kind: 'broken-json' }, true],
  ] as const)('%s ends a question: %j -> %s', async (_why, fault, isFinal) => {
    const handle = await ask(ALICE)
    sandbox.faults.add({ ...fault, provider: 'passbyme', method: 'GET' })
    const error: unknown = await channel.check(handle, {}).catch((thrown: unknown) => thrown)
    sandbox.faults.clear()
    expect(channel.isFinal(error)).toBe(isFinal)
  })

  it('can withdraw what is over already', async () => {
    const handle = await ask(ALICE)
    await channel.cancel(handle, {})
    await channel.cancel(handle, {})
    expect((await channel.check(handle, {})).decisions[0]!.status).toBe('cancelled')
  })
})

describe('several people', () => {
  const transfer: StartRequest = {
    channel: 'passbyme',
    subject: 'requester',
    recipients: [person('officer-1', ALICE), person('officer-2', BOB), person('officer-3', CAROL)],
    purpose: 'large-transfer',
    bound: { amount: 1_000_000, payee: 'X' },
    message: 'Pay 10000.00 EUR to X?',
    rule: { atLeast: 2 },
  }

  it('two of three approve, and the third is not asked any longer', async () => {
    const approvals = approvalsOf()
    const started = await approvals.start(transfer)
    await sandbox.phone.approve({ recipient: ALICE })
    expect((await approvals.status(started)).status).toBe('pending')
    await sandbox.phone.approve({ recipient: CAROL })
    expect((await approvals.wait(started)).status).toBe('approved')
    await waitFor(() => sandbox.phone.pushes({ recipient: BOB })[0]!.status === 'cancelled')
    const redeemed = await approvals.redeem({
      ...started,
      subject: 'requester',
      purpose: 'large-transfer',
      bound: transfer.bound!,
    })
    expect(redeemed.approvedBy.map(({ subject }) => subject).sort()).toEqual(['officer-1', 'officer-3'])
  })

  it('one person under two aliases is no two people', async () => {
    const { oid } = await management.aliases.find(ALICE)
    await management.aliases.add(oid, 'alice-two')
    const recipients = [person('officer-1', ALICE), person('officer-2', 'alice-two'), person('officer-3', CAROL)]
    const before = sandbox.phone.pushes().length
    await expect(approvalsOf().start({ ...transfer, recipients })).rejects.toMatchObject({ field: 'recipients' })
    expect(sandbox.phone.pushes()).toHaveLength(before)
  })

  it('the requester does not count, under another alias either', async () => {
    const { oid } = await management.aliases.find(BOB)
    await management.aliases.add(oid, 'bob-two')
    const approvals = approvalsOf()
    await expect(approvals.start({ ...transfer, subject: 'officer-2' })).rejects.toMatchObject({ code: 'ERR_INPUT' })
    await expect(approvals.start({ ...transfer, reference: 'bob-two' })).rejects.toMatchObject({ field: 'recipients' })
  })
})

describe('the callback', () => {
  it('is a hint: what it says is not believed, what the service says then is', async () => {
    const bodies: string[] = []
    let reference = ''
    const approvals = approvalsOf()
    const server = await listening(
      createServer((request, response) => {
        request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()))
        request.on('end', () => {
          reference = (JSON.parse(bodies.at(-1) ?? '{}') as { messageId: string }).messageId
          response.writeHead(204).end()
        })
      }),
    )
    const called = passByMeChannel(client, { callbackUrl: `${server.url}/hint/secret`, name: 'called' })
    const own = createApprovals({ state: new MemoryStateStore(), channels: [called] })
    const started = await own.start({
      channel: 'called',
      subject: 'u',
      reference: CAROL,
      purpose: 'login',
      message: 'Sign in?',
    })
    await waitFor(() => reference)
    // A forged hint changes nothing.
    await own.nudge({ channel: 'called', reference })
    expect((await own.status(started)).status).toBe('pending')
    await sandbox.phone.approve({ recipient: CAROL })
    await waitFor(async () => {
      await own.nudge({ channel: 'called', reference })
      return (await own.status(started)).status === 'approved'
    })
    await approvals.nudge({ channel: 'called', reference: 'unknown' })
    await server.close()
  })
})

it('the guide’s table of statuses is the one that is tested', () => {
  const guide = readFileSync(new URL('../../../docs/passbyme.md', import.meta.url), 'utf8')
  for (const status of Object.values(PassByMeStatus)) expect(guide).toContain(`| \`${status}\``)
})

it('no status loop goes on for ever: a status that nobody documents ends with the question [SC 38]', async () => {
  let offset = 0
  let tracked = 0
  const now = () => Date.now() + offset
  const counted = {
    ...channel,
    pollIntervalMs: 20,
    check: async (...args: Parameters<typeof channel.check>) => {
      tracked += 1
      return channel.check(...args)
    },
  }
  const approvals = createApprovals({
    state: new MemoryStateStore({ runtime: { now } }),
    channels: [counted],
    runtime: { now },
  })
  const ending = new AbortController()
  const running = approvals.run({ signal: ending.signal })
  sandbox.passbyme.quirks.statusWord = 'UNHEARD_OF'
  const request = { channel: 'passbyme', subject: 'u', reference: CAROL, purpose: 'login', message: 'Sign in?' }
  const started = await approvals.start({ ...request, ttlSeconds: 30 })
  await waitFor(() => tracked > 2)
  expect((await approvals.status(started)).status).toBe('pending')
  offset += 31_000
  await waitFor(async () => (await approvals.status(started)).status === 'expired')
  const before = tracked
  offset += 60_000
  expect((await approvals.wait(started, { timeoutMs: 200 })).status).toBe('expired')
  expect(tracked).toBe(before)
  ending.abort()
  await running
})
