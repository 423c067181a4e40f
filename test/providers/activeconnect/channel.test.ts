import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { createApprovals, type ApprovalChannel, type ChannelHandle } from 'passport-outofband'
import { ActiveconnectClient, activeconnectChannel, ActiveconnectStatus } from 'passport-outofband/activeconnect'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { waitFor } from '../../support/wait-for.js'

let sandbox: Sandbox
let client: ActiveconnectClient
let channel: ReturnType<typeof activeconnectChannel>

beforeAll(async () => {
  sandbox = await startSandbox()
  const { url, applicationId, applicationSecret } = sandbox.activeconnect
  client = new ActiveconnectClient({ baseUrl: url, applicationId, applicationSecret })
  channel = activeconnectChannel(client)
  await client.users.addMany(['alice', 'phoneless'])
  await sandbox.phone.enrol(await client.users.registrationLink('alice'))
})
afterAll(() => sandbox.close())

async function ask(target: ApprovalChannel = channel): Promise<ChannelHandle> {
  const recipients = [{ subject: 'user-1', reference: 'alice' }]
  const request = { approvalId: 'a', message: 'Sign in?', details: {}, recipients, expiresAt: Date.now() + 60_000 }
  return { ...(await target.start(request, {})), recipients }
}

/** The table of the guide: status, for an approval, for presence. */
function table(): readonly (readonly string[])[] {
  const text = readFileSync(new URL('../../../docs/activeconnect.md', import.meta.url), 'utf8')
  return [...text.matchAll(/^\| `([a-z_]+)` +\| ([a-z]+) +\| ([a-z]+) +\|/gm)].map((match) => match.slice(1))
}

describe('every status', () => {
  it('of the provider stands in the table of the guide', () => {
    expect(table().map(([status]) => status)).toEqual(
      expect.arrayContaining(Object.values(ActiveconnectStatus).filter((status) => status !== 'unknown')),
    )
  })

  test.each(table())(
    '%s is %s for an approval and %s for presence, as the guide says [SC 31]',
    async (word, approval, presence) => {
      const handle = await ask()
      sandbox.activeconnect.quirks.statusWord = word
      try {
        // The word alone is tested: `authenticated` would contradict an `active` that the phone did not give.
        if (word === 'active') await sandbox.phone.approve({ recipient: 'alice' })
        expect((await channel.check(handle, {})).decisions).toEqual([{ reference: 'alice', status: approval }])
        expect(await channel.presence(handle, {})).toBe(presence)
      } finally {
        sandbox.activeconnect.quirks.statusWord = undefined
      }
    },
  )

  test.each(['ACTIVE', 'active ', 'authenticated', '', 'actıve', '__proto__', 'constructor'])(
    'the undocumented %j lets nobody in [SC 31]',
    async (word) => {
      const handle = await ask()
      sandbox.activeconnect.quirks.statusWord = word
      try {
        expect((await channel.check(handle, {})).decisions[0]!.status).toBe('failed')
        expect(await channel.presence(handle, {})).toBe('ended')
      } finally {
        sandbox.activeconnect.quirks.statusWord = undefined
      }
    },
  )
})

describe('activeconnectChannel', () => {
  it('says that its phone shows no text, and proves by approval alone', () => {
    expect(channel).toMatchObject({ showsMessage: false, proof: 'approve', factor: 'activeconnect', maxRecipients: 1 })
  })

  it('keeps nothing readable of the remote session in the store [SC 90]', async () => {
    const handle = await ask()
    expect(JSON.stringify(handle)).not.toMatch(/session_status|http|token/)
  })

  it('starts nothing for a user without a phone', async () => {
    const recipients = [{ subject: 'user-2', reference: 'phoneless' }]
    const request = { approvalId: 'a', message: 'Sign in?', details: {}, recipients, expiresAt: Date.now() + 60_000 }
    await expect(channel.start(request, {})).rejects.toMatchObject({
      code: 'ERR_PROVIDER_REJECTED',
      providerCode: 'NO_MOBILE_DEVICE',
    })
  })

  it('does not open a session that was stored for another user [SC 30]', async () => {
    const handle = await ask()
    const stolen = { ...handle, recipients: [{ subject: 'user-2', reference: 'mallory' }] }
    await expect(channel.check(stolen, {})).rejects.toMatchObject({ field: 'sealed' })
  })

  it('ends the remote session at release, also when it is gone already', async () => {
    const handle = await ask()
    await sandbox.phone.approve({ recipient: 'alice' })
    await channel.release(handle, {})
    await channel.release(handle, {})
    expect(await channel.presence(handle, {})).toBe('ended')
  })

  it('throws at release while the service can not be reached, so that the outbox tries again', async () => {
    const handle = await ask()
    sandbox.faults.add({ kind: 'error', status: 500, provider: 'activeconnect', path: '*/logout/*' })
    await expect(channel.release(handle, {})).rejects.toMatchObject({ code: 'ERR_PROVIDER_UNREACHABLE' })
    sandbox.faults.clear()
  })

  it('refuses what is no client, and an unknown option', () => {
    expect(() => activeconnectChannel(Object.create(null) as ActiveconnectClient)).toThrow(/ActiveconnectClient/)
    const misspelt: object = { metods: [] }
    expect(() => activeconnectChannel(client, misspelt)).toThrow(expect.objectContaining({ option: 'metods' }))
  })
})

describe('an approval over Activeconnect', () => {
  const approvalsOf = (state = new MemoryStateStore()) => createApprovals({ state, channels: [channel] })
  const login = {
    channel: 'activeconnect',
    subject: 'user-1',
    reference: 'alice',
    purpose: 'login',
    message: 'Sign in?',
  }

  it('is approved, redeemed once, and released at sign-out, also when that fails the first time', async () => {
    const state = new MemoryStateStore()
    const approvals = approvalsOf(state)
    const started = await approvals.start(login)
    await sandbox.phone.approve({ recipient: 'alice' })
    expect((await approvals.wait(started)).status).toBe('approved')
    const redeemed = await approvals.redeem({ ...started, subject: 'user-1', purpose: 'login' })
    expect(redeemed).toMatchObject({ factor: 'activeconnect', proof: 'approve' })
    const stored = JSON.stringify(redeemed.release)
    expect(stored).not.toMatch(/http|secret/)

    sandbox.faults.add({ kind: 'error', status: 500, provider: 'activeconnect', path: '*/logout/*', times: 1 })
    await approvals.release(redeemed.release ?? [])
    const handle = redeemed.release![0]!
    expect(await channel.presence(handle, {})).toBe('present')
    const ending = new AbortController()
    const running = approvals.run({ signal: ending.signal })
    await waitFor(async () => (await channel.presence(handle, {})) === 'ended', { timeoutMs: 10_000 })
    ending.abort()
    await running
  })

  it('is denied on the phone and can not be redeemed', async () => {
    const approvals = approvalsOf()
    const started = await approvals.start(login)
    await sandbox.phone.deny({ recipient: 'alice' })
    expect((await approvals.wait(started)).status).toBe('denied')
    await expect(approvals.redeem({ ...started, subject: 'user-1', purpose: 'login' })).rejects.toMatchObject({
      reason: 'denied',
    })
  })
})

test.each([
  ['approved and never redeemed', true],
  ['not answered in time', false],
])('a question that was %s leaves nothing behind at the provider', async (_how, isApproved) => {
  let offset = 0
  const now = () => Date.now() + offset
  const state = new MemoryStateStore({ runtime: { now } })
  const approvals = createApprovals({ state, channels: [{ ...channel, pollIntervalMs: 20 }], runtime: { now } })
  const ending = new AbortController()
  const running = approvals.run({ signal: ending.signal })
  const before = new Set(sandbox.phone.pushes().map(({ id }) => id))
  const login = { channel: 'activeconnect', subject: 'user-1', reference: 'alice', purpose: 'login' }
  const started = await approvals.start({ ...login, message: 'Sign in?' })
  const push = sandbox.phone.pushes().find(({ id }) => !before.has(id))!
  const session = () => sandbox.phone.pushes().find(({ id }) => id === push.id)!.details[0]!.value
  if (isApproved) {
    await sandbox.phone.approve(push.id)
    await waitFor(async () => (await approvals.status(started)).status === 'approved')
  }
  expect(session()).toBe(isApproved ? 'active' : 'pending')
  offset += 200_000
  await waitFor(() => session() === 'closed')
  expect((await approvals.status(started)).status).toBe('expired')
  ending.abort()
  await running
})

it('calls a session that the service does not know the end of the question', async () => {
  const handle = await ask()
  sandbox.faults.add({ kind: 'error', status: 404, provider: 'activeconnect', method: 'GET', times: 1 })
  const gone: unknown = await channel.check(handle, {}).catch((error: unknown) => error)
  expect(channel.isFinal(gone)).toBe(true)
  expect(channel.isFinal(new Error('cut off'))).toBe(false)
})
