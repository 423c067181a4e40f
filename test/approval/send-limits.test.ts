import { createSendLimits, InvalidOptionError, type Send, type SendLimits } from 'passport-outofband'
import { MemoryStateStore } from 'passport-outofband/stores'
import { beforeEach, describe, expect, test } from 'vitest'
import { testRuntime, type TestClock } from '../support/test-runtime.js'

let clock: TestClock
let state: MemoryStateStore
let limits: SendLimits
beforeEach(() => {
  const time = testRuntime()
  clock = time.clock
  state = new MemoryStateStore({ runtime: time.runtime })
  limits = createSendLimits({ state, runtime: time.runtime })
})

const to = (e164: string, countryCode = 351, address?: string): Send => ({
  recipient: e164,
  phone: { e164, countryCode },
  address,
})

/** How many of them may be sent, and what stops the first that may not. */
async function send(sends: readonly Send[]): Promise<{ sent: number; scope?: string; retryAfterSeconds?: number }> {
  const outcomes = await Promise.allSettled(sends.map((one) => limits.admit(one)))
  const refused = outcomes.find((outcome) => outcome.status === 'rejected')
  const error = (refused?.reason ?? {}) as { scope: string; retryAfterSeconds: number }
  return { sent: outcomes.filter(({ status }) => status === 'fulfilled').length, ...pick(error) }
}

function pick({ scope, retryAfterSeconds }: { scope?: string; retryAfterSeconds?: number }) {
  return scope === undefined ? {} : { scope, retryAfterSeconds: retryAfterSeconds! }
}

const times = (count: number, make: (index: number) => Send): readonly Send[] =>
  Array.from({ length: count }, (_, index) => make(index))

describe('sending', () => {
  test('to one person stops after five in ten minutes and twenty a day, from however many addresses [SC 22]', async () => {
    const burst = () => times(100, (index) => ({ recipient: 'authy:1635', address: `10.0.0.${index}` }))
    expect(await send(burst())).toEqual({ sent: 5, scope: 'recipient', retryAfterSeconds: 600 })
    let sent = 5
    for (let round = 0; round < 10; round += 1) {
      await clock.advance(3_700_000)
      sent += (await send(times(5, () => ({ recipient: 'authy:1635' })))).sent
    }
    expect(sent).toBe(20)
    expect((await send(times(5, () => ({ recipient: 'authy:7' })))).sent).toBe(5)
  })

  test('for one address stops, and uses up nothing of what belongs to others [SC 22]', async () => {
    const from = (address: string) => times(100, (index) => to(`+35191123${1000 + index * 7}`, 351, address))
    expect(await send(from('192.0.2.1'))).toMatchObject({ sent: 20, scope: 'address' })
    expect((await send([to('+351911231500', 351, '192.0.2.2')])).sent).toBe(1)
    const network = times(100, (index) =>
      to(`+4479${11_000_000 + index * 10_007}`, 44, `2001:db8::${index.toString(16)}`),
    )
    expect(await send(network)).toMatchObject({ sent: 20, scope: 'address' })
  })

  test('into one range of numbers stops, however many addresses ask [SC 22]', async () => {
    const range = times(200, (index) => to(`+35191123${4000 + index}`, 351, `10.0.0.${index}`))
    expect(await send(range)).toMatchObject({ sent: 50, scope: 'prefix' })
    expect((await send([to('+351911244000')])).sent).toBe(1)
  })

  test('into one country stops, and so does sending at all [SC 22]', async () => {
    const country = (code: number) => times(600, (index) => to(`+${code}${100_000_000 + index * 10_007}`, code))
    expect(await send(country(371))).toMatchObject({ sent: 500, scope: 'country' })
    expect(await send(country(44))).toMatchObject({ sent: 500, scope: 'country' })
    expect(await send(country(1))).toMatchObject({ sent: 0, scope: 'total', retryAfterSeconds: 3600 })
    await clock.advance(3_600_000)
    expect((await send(country(1))).sent).toBe(500)
  })

  test('stops where the store can not count [SC 22, 98]', async () => {
    const away = new Error('away')
    limits = createSendLimits({ state: Object.assign(state, { increment: () => Promise.reject(away) }) })
    await expect(limits.admit({ recipient: 'authy:1635' })).rejects.toBe(away)
  })

  test('leaves no number in the store', async () => {
    const keys: string[] = []
    const increment = state.increment.bind(state)
    const spied = Object.assign(state, {
      increment: (key: string, window: { windowMs: number }) => {
        keys.push(key)
        return increment(key, window)
      },
    })
    await createSendLimits({ state: spied }).admit(to('+351911234567', 351, '192.0.2.1'))
    expect(keys).toHaveLength(8)
    expect(keys.join()).not.toMatch(/911234|192\.0|351/)
  })
})

test('limits can be set and switched off one by one, and wrong ones stop the server at its start', async () => {
  limits = createSendLimits({ state, perRecipient: [], total: [{ max: 2, windowSeconds: 60 }] })
  expect(await send(times(5, () => ({ recipient: 'a' })))).toMatchObject({ sent: 2, scope: 'total' })
  for (const wrong of [
    { perRecipient: [{ max: -1, windowSeconds: 60 }] },
    { total: [{ max: 1 }] },
    { perNumber: [] },
    { state: {} },
  ]) {
    expect(() => createSendLimits({ state, ...wrong } as never)).toThrow(InvalidOptionError)
  }
})
