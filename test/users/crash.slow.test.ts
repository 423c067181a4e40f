import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../support/temporary.js'
import { PASSWORD, PASSWORD_2, send, type Reply } from './service.js'

interface Running {
  readonly url: string
  readonly links: string[]
  kill(): Promise<void>
}

async function run(file: string): Promise<Running> {
  const script = fileURLToPath(new URL('crash-child.ts', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const links: string[] = []
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  onTestFinished(kill)
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the child ended')))
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [what, value = ''] = line.split(' ')
      if (what === 'listening') resolve(value)
      if (what === 'reset') links.push(value)
    })
  })
  return { url, links, kill }
}

const attempt = async (work: Promise<Reply>): Promise<Reply | undefined> => work.catch(() => undefined)

test(
  'SIGKILL in the middle of a load leaves no half user, no lost logout and no reset token that works twice [SC 98]',
  { timeout: 120_000 },
  async () => {
    const file = join(temporaryFolder(), 'users.db')
    const loggedOut = new Set<string>()
    const registered = new Map<string, string>()
    const spent = new Set<string>()
    for (let round = 0; round < 3; round += 1) {
      const first = await run(file)
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
    const again = await run(file)
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
  },
)
