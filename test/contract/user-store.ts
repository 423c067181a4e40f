import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { emailKey, type NewUser, type UserRecord, type UserStore } from 'passport-outofband/users'

/** A kind of user store under test. `open` gives another handle on the same users, as another process would have. */
export interface UserStoreHarness {
  open(): Promise<UserStore>
  empty(): Promise<void>
  close(): Promise<void>
}

const AT = 1_800_000_000_123

export function newUser(name: string, changes: Partial<NewUser> = {}): NewUser {
  const email = `${name}@Example.com`
  return {
    email,
    emailKey: emailKey(email),
    phone: null,
    phoneKey: null,
    firstName: null,
    lastName: null,
    passwordHash: null,
    isActive: true,
    roles: [],
    at: AT,
    ...changes,
  }
}

async function insert(store: UserStore, user: NewUser): Promise<UserRecord> {
  const outcome = await store.insert(user)
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.user
}

/** What every user store promises. */
export function userStoreContract(name: string, make: () => Promise<UserStoreHarness>): void {
  describe(name, () => {
    let harness: UserStoreHarness
    let store: UserStore
    let other: UserStore

    beforeAll(async () => {
      harness = await make()
    })
    afterAll(async () => harness.close())
    beforeEach(async () => {
      await harness.empty()
      store = await harness.open()
      other = await harness.open()
    })

    test('keeps every member of a user and finds them by id, address and phone', async () => {
      const user = await insert(
        store,
        newUser('alice', {
          phone: '+1 555',
          phoneKey: '+1555',
          firstName: '晓鹏',
          lastName: "O'Hara; drop table users",
          passwordHash: '$h$',
          roles: ['b', 'a', 'b'],
        }),
      )
      expect(user).toMatchObject({
        email: 'alice@Example.com',
        phone: '+1 555',
        firstName: '晓鹏',
        lastName: "O'Hara; drop table users",
        passwordHash: '$h$',
        isActive: true,
        roles: ['b', 'a', 'b'],
        lastLoginAt: AT,
        createdAt: AT,
        updatedAt: AT,
        epoch: 0,
      })
      expect(await other.findById(user.id)).toEqual(user)
      expect(await other.findByEmail('alice@example.com')).toEqual(user)
      expect(await other.findByPhone('+1555')).toEqual(user)
      expect(await store.findById(user.id + 1)).toBeUndefined()
      expect(await store.findByEmail('alice@Example.com')).toBeUndefined()
    })

    test('of a hundred inserts with one address exactly one succeeds [SC 96]', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, index) => (index % 2 ? store : other).insert(newUser('same'))),
      )
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
      expect(await store.list({ afterId: 0, limit: 500 })).toHaveLength(1)
    })

    test('of many inserts with one phone exactly one succeeds, and no phone is no clash', async () => {
      const phone = { phone: '1', phoneKey: '1' }
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? store : other).insert(newUser(`p${index}`, phone))),
      )
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
      await insert(store, newUser('none-1'))
      await insert(store, newUser('none-2'))
    })

    test('of many changes to one address exactly one succeeds', async () => {
      const ids = await Promise.all(
        Array.from({ length: 10 }, async (_, index) => (await insert(store, newUser(`u${index}`))).id),
      )
      const email = { text: 'wanted@example.com', key: 'wanted@example.com' }
      const outcomes = await Promise.all(
        ids.map((id, index) => (index % 2 ? store : other).update(id, { email }, { at: AT + 1 })),
      )
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
      expect(outcomes.filter((outcome) => !outcome.ok && outcome.reason === 'taken')).toHaveLength(9)
    })

    test('changes what it is told to and nothing else', async () => {
      const before = await insert(store, newUser('bob', { firstName: 'Bob', phone: '7', phoneKey: '7' }))
      const outcome = await store.update(before.id, { lastName: 'B', phone: { text: null, key: null } }, { at: AT + 5 })
      expect(outcome).toEqual({ ok: true, user: { ...before, lastName: 'B', phone: null, updatedAt: AT + 5 } })
      expect(await store.findByPhone('7')).toBeUndefined()
      const ended = await store.update(before.id, { endSessions: true, passwordHash: 'x' }, { at: AT + 6 })
      expect(ended).toMatchObject({ ok: true, user: { epoch: 1, passwordHash: 'x' } })
      expect(await store.update(before.id, { passwordHash: 'y' }, { at: AT, ifEpoch: 0 })).toEqual({
        ok: false,
        reason: 'stale',
      })
      expect(await store.update(999_999, { firstName: 'x' }, { at: AT })).toEqual({ ok: false, reason: 'missing' })
    })

    test('never loses the last active administrator, also when two demote each other [SC 96]', async () => {
      const one = await insert(store, newUser('admin-1', { roles: ['admin'] }))
      expect(await store.update(one.id, { roles: [] }, { at: AT })).toEqual({ ok: false, reason: 'last-admin' })
      expect(await store.update(one.id, { isActive: false }, { at: AT })).toEqual({ ok: false, reason: 'last-admin' })
      await insert(store, newUser('sleeping', { roles: ['admin'], isActive: false }))
      expect(await store.update(one.id, { isActive: false }, { at: AT })).toMatchObject({ ok: false })
      for (let round = 0; round < 10; round += 1) {
        const two = await insert(store, newUser(`admin-${round + 2}`, { roles: ['admin'] }))
        const outcomes = await Promise.all([
          store.update(one.id, { roles: ['x'] }, { at: AT }),
          other.update(two.id, { isActive: false }, { at: AT }),
        ])
        expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
        await store.update(one.id, { roles: ['admin'] }, { at: AT })
        await store.update(two.id, { roles: [], isActive: true }, { at: AT })
      }
    })

    test('takes users over with their ids, and counts on from there', async () => {
      const first = await insert(store, newUser('first'))
      const moved = await insert(store, newUser('moved', { id: first.id + 40 }))
      expect(moved.id).toBe(first.id + 40)
      expect(await store.insert(newUser('clash', { id: moved.id }))).toEqual({ ok: false, reason: 'taken' })
      expect((await insert(store, newUser('between', { id: first.id + 20 }))).id).toBe(first.id + 20)
      expect((await insert(other, newUser('next'))).id).toBeGreaterThan(moved.id)
    })

    test('lists in the order of ids and never gives an id twice', async () => {
      const users = []
      for (const name of ['a', 'b', 'c']) users.push(await insert(store, newUser(name)))
      expect(await store.list({ afterId: users[0]!.id, limit: 1 })).toEqual([users[1]])
      expect(await store.erase(users[2]!.id)).toBe(true)
      expect(await store.erase(users[2]!.id)).toBe(false)
      expect((await insert(store, newUser('d'))).id).toBeGreaterThan(users[2]!.id)
    })

    test('finds by a part of the address, the number or a name, whatever its case; patterns are mere text', async () => {
      const people = [
        newUser('ada', { firstName: 'Ada', lastName: 'Lovelace', phone: '+1 555 0100', phoneKey: '+15550100' }),
        newUser('grace', { firstName: 'Grace', lastName: '100%_\\sure' }),
        newUser('a%b'),
      ]
      const users = []
      for (const person of people) users.push(await insert(store, person))
      const find = async (search: string, afterId = 0): Promise<readonly (string | null)[]> =>
        (await store.list({ afterId, limit: 10, search })).map(({ email }) => email)
      const [ada, grace, pattern] = users.map(({ email }) => email)
      expect(await find('LOVE')).toEqual([ada])
      expect(await find('5550')).toEqual([ada])
      expect(await find(String(grace).toUpperCase())).toEqual([grace])
      expect(await find('%')).toEqual([grace, pattern])
      expect(await find('a%b')).toEqual([pattern])
      for (const search of ['0%_', '_\\', '%_\\S']) expect(await find(search), search).toEqual([grace])
      expect(await find("' or 1=1 --")).toEqual([])
      expect(await find('a', users[1]!.id)).toEqual([pattern])
      expect(await store.list({ afterId: 0, limit: 2, search: 'a' })).toHaveLength(2)
    })
  })
}
