import { createAssurances, InvalidInputError, InvalidOptionError, type Assurances } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { beforeEach, describe, expect, test } from 'vitest'
import { testRuntime, type TestClock } from '../support/test-runtime.js'

let clock: TestClock
let state: MemoryStateStore
let assurances: Assurances

beforeEach(() => {
  const time = testRuntime()
  clock = time.clock
  state = new MemoryStateStore({ runtime: time.runtime })
  assurances = createAssurances({ state, idleSeconds: 600, absoluteSeconds: 3600, runtime: time.runtime })
})

const names = (assurance: { factors: readonly { factor: string }[] } | undefined): readonly string[] =>
  (assurance?.factors ?? []).map(({ factor }) => factor).sort()

describe('a login', () => {
  test('records methods, amr and the time of each factor [SC 4]', async () => {
    const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
    await clock.advance(5_000)
    await assurances.addFactor(id, { factor: 'push', proof: 'approve', at: clock.now() - 1_000 })
    expect((await assurances.read(id))?.factors).toEqual([
      { factor: 'password', amr: ['pwd'], at: clock.now() - 5_000 },
      { factor: 'push', amr: ['mca'], at: clock.now() - 1_000, proof: 'approve' },
    ])
    expect(Buffer.from(id, 'base64url')).toHaveLength(16)
  })

  test('keeps every factor that parallel requests add [SC 77]', async () => {
    const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
    const added = Array.from({ length: 20 }, (_, index) => `factor-${index}`)
    await Promise.all(added.map((factor) => assurances.addFactor(id, { factor })))
    expect(names(await assurances.read(id))).toEqual([...added, 'password'].sort())
  })

  test('keeps the younger of two proofs of one factor', async () => {
    const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'totp' }] })
    await assurances.addFactor(id, { factor: 'totp', at: clock.now() - 60_000 })
    expect((await assurances.read(id))?.factors).toMatchObject([{ factor: 'totp', at: clock.now() }])
  })

  test('takes a time in the future for now, so that no factor stays young for ever', async () => {
    const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'push', at: clock.now() + 1e9 }] })
    expect((await assurances.read(id))?.factors).toMatchObject([{ at: clock.now() }])
  })

  test('ends when it is not used, lives on when it is, and ends at last [SC 67]', async () => {
    const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
    for (let minutes = 9; minutes < 60; minutes += 9) {
      await clock.advance(9 * 60_000)
      expect(await assurances.use(id), `after ${minutes} minutes`).toBeDefined()
    }
    await clock.advance(6 * 60_000)
    expect(await assurances.use(id)).toBeUndefined()
    const idle = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
    await clock.advance(600_000)
    expect(await assurances.read(idle.id)).toBeUndefined()
  })

  test('is not kept alive by being read', async () => {
    const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
    await clock.advance(500_000)
    expect(await assurances.read(id)).toBeDefined()
    await clock.advance(100_000)
    expect(await assurances.read(id)).toBeUndefined()
  })

  test('is unknown under any other id, also a hostile one', async () => {
    for (const id of ['', 'x', '__proto__', '../u1', 'A'.repeat(22), 'A'.repeat(600)]) {
      expect(await assurances.read(id)).toBeUndefined()
      expect(await assurances.addFactor(id, { factor: 'totp' })).toBeUndefined()
      expect(await assurances.end(id)).toEqual([])
    }
  })
})

describe('a pending login', () => {
  const policy = { anyOf: ['totp'], independent: 2 }

  test('is completed once its policy is met, and by one caller only [SC 29]', async () => {
    const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }], awaiting: policy })
    expect(await assurances.complete(id)).toBeUndefined()
    expect((await assurances.read(id))?.isPending).toBe(true)
    await assurances.addFactor(id, { factor: 'totp' })
    const all = await Promise.all(Array.from({ length: 20 }, () => assurances.complete(id)))
    expect(all.filter((assurance) => assurance !== undefined)).toHaveLength(1)
    expect((await assurances.read(id))?.isPending).toBe(false)
  })

  test('waits ten minutes and no longer, whatever is added to it', async () => {
    const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }], awaiting: policy })
    await clock.advance(599_000)
    await assurances.addFactor(id, { factor: 'push' })
    expect(await assurances.use(id)).toBeDefined()
    await clock.advance(1_000)
    expect(await assurances.complete(id)).toBeUndefined()
  })
})

describe('revoking', () => {
  test('everything ends all logins of the subject, of nobody else, and none that begin afterwards [SC 9]', async () => {
    const mine = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
    const other = await assurances.begin({ subject: 'u2', factors: [{ factor: 'password' }] })
    await assurances.revoke('u1')
    const next = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
    expect(await assurances.read(mine.id)).toBeUndefined()
    expect(await assurances.addFactor(mine.id, { factor: 'totp' })).toBeUndefined()
    expect(await assurances.read(other.id)).toBeDefined()
    expect(await assurances.read(next.id)).toBeDefined()
  })

  test('a factor ends the logins that came from it, and only those [SC 9]', async () => {
    const withTotp = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }, { factor: 'totp' }] })
    const withPush = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }, { factor: 'push' }] })
    await assurances.revoke('u1', { factor: 'totp' })
    expect(await assurances.read(withTotp.id)).toBeUndefined()
    expect(await assurances.read(withPush.id)).toBeDefined()
    const again = await assurances.begin({ subject: 'u1', factors: [{ factor: 'totp' }] })
    expect(await assurances.read(again.id)).toBeDefined()
  })

  test('spares the login that does it, without the factor', async () => {
    const mine = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }, { factor: 'totp' }] })
    const other = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }, { factor: 'totp' }] })
    await assurances.revoke('u1', { factor: 'totp', except: mine.id })
    expect(names(await assurances.read(mine.id))).toEqual(['password'])
    expect(await assurances.read(other.id)).toBeUndefined()
  })

  test('with an exception never brings a login back that was revoked before, nor one of somebody else', async () => {
    const mine = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
    const other = await assurances.begin({ subject: 'u2', factors: [{ factor: 'password' }] })
    await assurances.revoke('u1')
    await assurances.revoke('u1', { except: mine.id })
    expect(await assurances.read(mine.id)).toBeUndefined()
    await assurances.revoke('u2')
    await assurances.revoke('u1', { except: other.id })
    expect(await assurances.read(other.id)).toBeUndefined()
  })

  test('works for names like __proto__ too', async () => {
    const { id } = await assurances.begin({ subject: '__proto__', factors: [{ factor: 'constructor' }] })
    expect(await assurances.read(id)).toBeDefined()
    await assurances.revoke('__proto__', { factor: 'constructor' })
    expect(await assurances.read(id)).toBeUndefined()
  })
})

test('ending a login says what it leaves at providers', async () => {
  const release = [{ channel: 'activeconnect', reference: 'r', recipients: [], state: { session: 's' } }]
  const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
  await assurances.addFactor(id, { factor: 'activeconnect' }, { release })
  expect(await assurances.end(id)).toEqual(release)
  expect(await assurances.end(id)).toEqual([])
  expect(await assurances.read(id)).toBeUndefined()
})

test('a record that somebody else wrote is no login', async () => {
  const { id } = await assurances.begin({ subject: 'u1', factors: [{ factor: 'password' }] })
  await state.put(`assurance:${id}`, { subject: 'u1', factors: 'all' }, { ttlMs: 60_000 })
  expect(await assurances.read(id)).toBeUndefined()
})

test('wrong options and subjects are refused by name', async () => {
  expect(() => Reflect.apply(createAssurances, undefined, [{ state: {} }]) as Assurances).toThrow(InvalidOptionError)
  const misspelt = { state, idleSecond: 5 }
  expect(() => createAssurances(misspelt)).toThrow(/did you mean 'idleSeconds'/)
  await expect(assurances.begin({ subject: '', factors: [] })).rejects.toThrow(InvalidInputError)
})
