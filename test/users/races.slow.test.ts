import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitFor } from '../support/wait-for.js'
import { PASSWORD, PASSWORD_2, send, tokenOf, type Reply } from './service.js'
import { describeOnDatabases, serviceProcess, type Place, type ServiceProcess } from './service-process.js'

// Two processes on one database, a hundred requests at once.

const timeout = 60_000

type Pair = readonly [ServiceProcess, ServiceProcess]

/** Two processes for all tests of a suite. */
function sharedPair(place: () => Promise<Place>, env: Record<string, string>): () => Pair {
  let processes: Pair | undefined
  beforeAll(async () => {
    const where = await place()
    processes = await Promise.all([serviceProcess(where, env), serviceProcess(where, env)])
  }, timeout)
  afterAll(async () => {
    await Promise.all((processes ?? []).map((each) => each.kill()))
  })
  return () => {
    if (processes === undefined) throw new Error('the processes did not start')
    return processes
  }
}

function hundred(pair: Pair, work: (url: string, index: number) => Promise<Reply>): Promise<Reply[]> {
  return Promise.all(Array.from({ length: 100 }, (_, index) => work(pair[index % 2 === 0 ? 0 : 1].url, index)))
}

function count(replies: readonly Reply[], wanted: number): number {
  return replies.filter(({ status }) => status === wanted).length
}

async function register(url: string, name: string): Promise<{ email: string; token: string }> {
  const email = `${name}@example.com`
  return { email, token: tokenOf(await send(`${url}/user/`, 'POST', { body: { email, password: PASSWORD } })) }
}

describeOnDatabases('two processes', (place) => {
  const roomy = sharedPair(place, { LOGIN_LIMIT: '10' })
  const hasty = sharedPair(place, { ACCESS_SECONDS: '1' })

  test('a hundred registrations with one address and number make one user [SC 96]', { timeout }, async () => {
    const both = roomy()
    const byAddress = await hundred(both, (url, index) =>
      send(`${url}/user/`, 'POST', {
        body: { email: index % 3 ? 'one@example.com' : 'ONE@example.com', password: PASSWORD },
      }),
    )
    expect([count(byAddress, 201), count(byAddress, 400)]).toEqual([1, 99])
    const byNumber = await hundred(both, (url, index) =>
      send(`${url}/user/`, 'POST', {
        body: { email: `user-${index}@example.com`, phone: index % 2 ? '+1 555 0001234' : '+15550001234' },
      }),
    )
    expect([count(byNumber, 201), count(byNumber, 400)]).toEqual([1, 99])
  })

  test('a hundred refreshes of one token leave one family, and its replay none [SC 64, 65]', { timeout }, async () => {
    const both = hasty()
    const [{ url }] = both
    const { token } = await register(url, 'alice')
    const check = (of: string): Promise<Reply> => send(`${url}/auth/verify_token/`, 'GET', { token: of })
    const isOver = async (of: string): Promise<boolean> => (await check(of)).body['code'] === 'ExpiredAccessError'
    await waitFor(() => isOver(token), { timeoutMs: 20_000 })
    const replies = await hundred(both, (from) => send(`${from}/auth/refresh/`, 'POST', { token }))
    expect(count(replies, 200)).toBe(100)
    const tokens = [...new Set(replies.map(tokenOf))]
    expect(tokens).toHaveLength(1)
    const [second = ''] = tokens
    await waitFor(() => isOver(second), { timeoutMs: 20_000 })
    const third = tokenOf(await send(`${url}/auth/refresh/`, 'POST', { token: second }))
    const replays = await hundred(both, (from, index) =>
      send(`${from}/auth/refresh/`, 'POST', { token: index % 2 ? token : second }),
    )
    expect(count(replays, 403)).toBeGreaterThan(0)
    expect(await check(third)).toMatchObject({ status: 403 })
  })

  test('a refresh that races a logout brings no session back [SC 64, 66]', { timeout }, async () => {
    const both = hasty()
    const [{ url }] = both
    const { token } = await register(url, 'bella')
    const isOver = async (): Promise<boolean> =>
      (await send(`${url}/auth/verify_token/`, 'GET', { token })).body['code'] === 'ExpiredAccessError'
    await waitFor(isOver, { timeoutMs: 20_000 })
    const replies = await hundred(both, (from, index) =>
      send(`${from}/auth/${index === 51 ? 'logout' : 'refresh'}/`, 'POST', { token }),
    )
    expect(replies[51]).toMatchObject({ status: 204 })
    for (const { body } of replies) {
      const next = body['access_token']
      if (typeof next === 'string') {
        expect(await send(`${url}/auth/verify_token/`, 'GET', { token: next })).toMatchObject({ status: 403 })
      }
    }
  })

  test(
    'a hundred tries of a code are at most five, and right ones count once [SC 11, 17, 96]',
    { timeout },
    async () => {
      const both = roomy()
      const [first] = both
      const start = (phone: string): Promise<Reply> =>
        send(`${first.url}/verification/phone/`, 'POST', { body: { phone } })
      const confirm = (url: string, phone: string, code: string): Promise<Reply> =>
        send(`${url}/verification/phone/confirm/`, 'POST', { body: { phone, code } })
      const codeFor = async (phone: string): Promise<string> => {
        const known = first.codes.length
        expect(await start(phone)).toMatchObject({ status: 200 })
        await waitFor(() => first.codes.length > known)
        return first.codes.at(-1) ?? ''
      }
      const guessed = await codeFor('+15550001111')
      const wrong = guessed.replace(/^./, (digit) => String((Number(digit) + 1) % 10))
      expect(count(await hundred(both, (url) => confirm(url, '+15550001111', wrong)), 400)).toBe(100)
      expect(await confirm(first.url, '+15550001111', guessed)).toMatchObject({ status: 400 })
      const right = await codeFor('+15550002222')
      expect(count(await hundred(both, (url) => confirm(url, '+15550002222', right)), 200)).toBe(1)
    },
  )

  test('a hundred confirmations with one reset token count once [SC 72, 96]', { timeout }, async () => {
    const both = roomy()
    const [first] = both
    const { email } = await register(first.url, 'clara')
    await send(`${first.url}/password/reset/`, 'POST', {
      body: { email, url_template: 'https://app.example.com/?token={token}' },
    })
    await waitFor(() => first.links.length > 0)
    const token = first.links[0]?.split('token=')[1]
    const replies = await hundred(both, (url) =>
      send(`${url}/password/reset/confirm/`, 'POST', { body: { token, new_password: PASSWORD_2 } }),
    )
    expect([count(replies, 200), count(replies, 400)]).toEqual([1, 99])
  })

  test('a hundred guesses of a password are as many as the limit says [SC 17]', { timeout }, async () => {
    const both = roomy()
    const guess = (email: string) =>
      hundred(both, (url, index) => send(`${url}/auth/login/`, 'POST', { body: { email, password: `wrong ${index}` } }))
    for (const email of ['nobody@example.com', 'nobody-else@example.com']) {
      const replies = await guess(email)
      expect([count(replies, 401), count(replies, 429)]).toEqual([10, 90])
    }
  })

  test('a hundred sign-ins of one user are listed, as far as fifty go [SC 100]', { timeout }, async () => {
    const both = roomy()
    const { email } = await register(both[0].url, 'dora')
    const replies = await hundred(both, (url) =>
      send(`${url}/auth/login/`, 'POST', { body: { email, password: PASSWORD } }),
    )
    expect(count(replies, 200)).toBe(100)
    const checked = await Promise.all(
      replies.map(async (reply) => {
        const token = tokenOf(reply)
        return { token, status: (await send(`${both[0].url}/auth/verify_token/`, 'GET', { token })).status }
      }),
    )
    const living = checked.filter(({ status }) => status === 200)
    expect(living).toHaveLength(50)
    const list = await send(`${both[1].url}/auth/sessions/`, 'GET', { token: living[0]!.token })
    expect(list.body).toHaveLength(50)
  })
})
