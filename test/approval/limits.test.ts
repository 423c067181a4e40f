import { createGuessLimits, StoreUnavailableError, type GuessLimits, type GuessPermit } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { beforeEach, describe, expect, test } from 'vitest'
import { factorOfCode, rememberDelivery, useCodeOnce } from '../../src/approval/code-use.js'
import { testRuntime, type TestClock } from '../support/test-runtime.js'

let clock: TestClock
let state: MemoryStateStore
let limits: GuessLimits

beforeEach(() => {
  const time = testRuntime()
  clock = time.clock
  state = new MemoryStateStore({ runtime: time.runtime })
  limits = createGuessLimits({ state, runtime: time.runtime })
})

const pauseOf = (permit: GuessPermit): number => (permit.allowed ? 0 : permit.retryAfterSeconds)

async function fail(times: number, subject = 'u1'): Promise<void> {
  for (let i = 0; i < times; i += 1) expect((await limits.begin({ subject })).allowed).toBe(true)
}

describe('guessing', () => {
  test('stops after five wrong guesses, from whatever address and session, also in parallel [SC 17]', async () => {
    const guesses = Array.from({ length: 100 }, (_, index) =>
      limits.begin({ subject: 'u1', address: `10.0.0.${index}`, device: `device-${index}` }),
    )
    const allowed = (await Promise.all(guesses)).filter((permit) => permit.allowed)
    expect(allowed).toHaveLength(5)
  })

  test('pauses longer after each further wrong guess, up to an hour and never for good [SC 17, 18]', async () => {
    await fail(5)
    const pauses: number[] = []
    for (let round = 0; round < 10; round += 1) {
      const seconds = pauseOf(await limits.begin({ subject: 'u1' }))
      pauses.push(seconds)
      await clock.advance(seconds * 1000)
      expect((await limits.begin({ subject: 'u1' })).allowed).toBe(true)
    }
    expect(pauses).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
  })

  test('starts anew after a right one [SC 17]', async () => {
    await fail(4)
    const permit = await limits.begin({ subject: 'u1' })
    if (permit.allowed) await permit.succeeded()
    await fail(5)
    expect((await limits.begin({ subject: 'u1' })).allowed).toBe(false)
  })

  test('at the code gains nothing from a right password, from whatever browser, and the reverse [SC 17]', async () => {
    for (const [known, guessed] of [
      ['password', 'code'],
      ['code', 'password'],
    ] as const) {
      let guesses = 0
      for (let round = 0; round < 40; round += 1) {
        const device = `${known}-${round}`
        const right = await limits.begin({ subject: known, device, factor: known })
        if (right.allowed) await right.succeeded()
        if ((await limits.begin({ subject: known, device, factor: guessed })).allowed) guesses += 1
        if ((await limits.begin({ subject: known, factor: guessed })).allowed) guesses += 1
      }
      expect(guesses).toBe(5)
    }
  })

  test('that is still being judged does not end a pause when it turns out right [SC 17]', async () => {
    const passwords = await Promise.all(
      Array.from({ length: 4 }, () => limits.begin({ subject: 'u1', factor: 'password' })),
    )
    expect((await limits.begin({ subject: 'u1', factor: 'code' })).allowed).toBe(true)
    expect((await limits.begin({ subject: 'u1', factor: 'code' })).allowed).toBe(false)
    for (const permit of passwords) if (permit.allowed) await permit.succeeded()
    expect((await limits.begin({ subject: 'u1', factor: 'code' })).allowed).toBe(false)
    await clock.advance(30_000)
    expect((await limits.begin({ subject: 'u1', factor: 'code' })).allowed).toBe(true)
  })

  test("of one account leaves others alone, and a device that signed in before isn't locked out by strangers [SC 18]", async () => {
    const first = await limits.begin({ subject: 'u1', device: 'mine' })
    if (first.allowed) await first.succeeded()
    await fail(5)
    expect((await limits.begin({ subject: 'u1', device: 'stranger' })).allowed).toBe(false)
    expect((await limits.begin({ subject: 'u2', device: 'mine' })).allowed).toBe(true)
    for (let i = 0; i < 5; i += 1) {
      expect((await limits.begin({ subject: 'u1', device: 'mine' })).allowed).toBe(true)
    }
    expect((await limits.begin({ subject: 'u1', device: 'mine' })).allowed).toBe(false)
  })

  test('from one address, or one IPv6 network, is limited over all accounts [SC 17]', async () => {
    const addresses = ['2001:db8::1', '2001:DB8:0:0:ffff::2', '2001:0db8:0000:0::3']
    for (let i = 0; i < 50; i += 1) {
      const permit = await limits.begin({ subject: `u${i}`, address: addresses[i % 3] })
      expect(permit.allowed).toBe(true)
    }
    expect(await limits.begin({ subject: 'new', address: '2001:db8::4' })).toMatchObject({ scope: 'address' })
    expect((await limits.begin({ subject: 'new', address: '2001:db8:1::4' })).allowed).toBe(true)
  })

  test('that the address stops costs the account nothing', async () => {
    for (let i = 0; i < 50; i += 1) await limits.begin({ subject: `u${i}`, address: '192.0.2.1' })
    for (let i = 0; i < 20; i += 1) {
      expect(await limits.begin({ subject: 'victim', address: '::ffff:192.0.2.1' })).toMatchObject({ scope: 'address' })
    }
    await fail(5, 'victim')
  })

  test('that nobody judged does not count', async () => {
    for (let i = 0; i < 20; i += 1) {
      const permit = await limits.begin({ subject: 'u1', address: '192.0.2.1' })
      expect(permit.allowed).toBe(true)
      if (permit.allowed) await permit.withdrawn()
    }
  })

  test('is refused when the store fails, or holds something that it should not [SC 17, 98]', async () => {
    const broken = new Proxy(state, {
      get: (target, name) =>
        name === 'get'
          ? () => Promise.reject(new StoreUnavailableError('down'))
          : (Reflect.get(target, name) as unknown),
    })
    await expect(createGuessLimits({ state: broken }).begin({ subject: 'u1' })).rejects.toThrow(StoreUnavailableError)
  })
})

describe('a code', () => {
  const use = { subject: 'u1', code: '123456', realm: 'authy' }

  test('is used by one of many parallel requests, and later by none [SC 12]', async () => {
    const uses = await Promise.all(Array.from({ length: 50 }, () => useCodeOnce(state, use)))
    expect(uses.filter((one) => one !== undefined)).toHaveLength(1)
    await clock.advance(60_000)
    expect(await useCodeOnce(state, use)).toBeUndefined()
    expect(await useCodeOnce(state, { ...use, subject: 'u2' })).toBeDefined()
  })

  test('that was wrong may be tried again', async () => {
    await (await useCodeOnce(state, use))?.forget()
    expect(await useCodeOnce(state, use)).toBeDefined()
  })

  test('counts as the weakest way in which it may have come', async () => {
    expect(await factorOfCode(state, 'u1')).toBe('totp')
    await rememberDelivery(state, 'u1', 'call')
    expect(await factorOfCode(state, 'u1')).toBe('call')
    await rememberDelivery(state, 'u1', 'sms')
    expect(await factorOfCode(state, 'u1')).toBe('sms')
    expect(await factorOfCode(state, 'u2')).toBe('totp')
    await clock.advance(900_000)
    expect(await factorOfCode(state, 'u1')).toBe('totp')
  })
})
