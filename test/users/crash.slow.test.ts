import { expect, onTestFinished, test } from 'vitest'
import { PASSWORD, PASSWORD_2, send, type Reply } from './service.js'
import { describeOnDatabases, serviceProcess, type Place } from './service-process.js'

const attempt = async (work: Promise<Reply>): Promise<Reply | undefined> => work.catch(() => undefined)

async function killUnderLoad(place: Place): Promise<void> {
  const loggedOut = new Set<string>()
  const registered = new Map<string, string>()
  const spent = new Set<string>()
  for (let round = 0; round < 3; round += 1) {
    const first = await serviceProcess(place)
    onTestFinished(first.kill)
    let going = true
    const worker = async (name: string): Promise<void> => {
      for (let count = 0; going; count += 1) {
        const email = `${name}-${round}-${count}@example.com`
        const user = await attempt(
          send(`${first.url}/user/`, 'POST', {
            body: { email, phone: `${name}${round}${count}`, password: PASSWORD },
          }),
        )
        if (user?.status !== 201) continue
        const token = String(user.body['access_token'])
        registered.set(email, token)
        if (count % 2 === 0) {
          const out = await attempt(send(`${first.url}/auth/logout/`, 'POST', { token }))
          if (out?.status === 204) loggedOut.add(token)
          continue
        }
        await attempt(
          send(`${first.url}/password/reset/`, 'POST', {
            body: { email, url_template: 'https://app.example.com/?token={token}' },
          }),
        )
        const reset = first.links.pop()?.split('token=')[1]
        if (reset === undefined) continue
        const done = await attempt(
          send(`${first.url}/password/reset/confirm/`, 'POST', { body: { token: reset, new_password: PASSWORD_2 } }),
        )
        if (done?.status === 200) spent.add(reset)
      }
    }
    const work = ['a', 'b', 'c', 'd'].map(worker)
    await new Promise((resolve) => {
      const check = setInterval(() => {
        if (loggedOut.size < (round + 1) * 10 || spent.size < (round + 1) * 3) return
        clearInterval(check)
        resolve(undefined)
      }, 5)
    })
    await first.kill()
    going = false
    await Promise.all(work)
  }
  const again = await serviceProcess(place)
  onTestFinished(again.kill)
  for (const token of loggedOut) {
    expect(await send(`${again.url}/user/current/`, 'GET', { token })).toMatchObject({ status: 403 })
    expect(await send(`${again.url}/auth/refresh/`, 'POST', { token })).toMatchObject({ status: 403 })
  }
  for (const token of spent) {
    const reply = await send(`${again.url}/password/reset/confirm/`, 'POST', {
      body: { token, new_password: PASSWORD },
    })
    expect(reply).toMatchObject({ status: 400, body: { code: 'InvalidToken' } })
  }
  for (const email of registered.keys()) {
    const replies = [PASSWORD, PASSWORD_2].map((password) =>
      send(`${again.url}/auth/login/`, 'POST', { body: { email, password } }),
    )
    const good = (await Promise.all(replies)).filter(({ status }) => status === 200)
    expect(good, email).toHaveLength(1)
    expect(Object.keys(good[0]!.body)).toHaveLength(11)
  }
  expect(registered.size).toBeGreaterThan(30)
}

describeOnDatabases('SIGKILL', (place) => {
  test(
    'SIGKILL in the middle of a load leaves no half user, no lost logout and no reset token that works twice [SC 98]',
    { timeout: 120_000 },
    async () => killUnderLoad(await place()),
  )
})
