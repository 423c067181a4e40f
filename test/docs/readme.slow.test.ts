import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import request from 'supertest'
import { expect, onTestFinished, test } from 'vitest'
import { listening } from '../support/listen.js'
import { pages, root } from './pages.js'

interface Push {
  readonly id: string
}

test('the program of the README logs in with a password and a push, and with nothing less [SC 1]', async () => {
  const { app, phone } = await startReadme()
  const agent = request.agent(app)
  const html = { accept: 'text/html' }
  const wrong = { username: 'ada', password: 'wrong' }
  expect((await agent.post('/login').type('form').send(wrong)).headers['location']).toBe('/login')
  const password = { username: 'ada', password: 'correct horse' }
  const first = await agent.post('/login').set(html).type('form').send(password).expect(303)
  expect(first.headers['location']).toBe('/second-factor')
  expect((await agent.get('/')).headers['location']).toBe('/login')

  const asked = await agent.post('/second-factor').set(html).expect(303)
  const waiting = String(asked.headers['location'])
  await agent.get(waiting).expect(200)
  const pushes = (await request(phone).get('/api/pushes').expect(200)).body as readonly Push[]
  await request(phone).post(`/api/pushes/${pushes[0]?.id}/approve`).send({}).expect(200)
  const status = waiting.replace('/waiting/', '/approvals/')
  expect((await agent.get(`${status}/status`).expect(200)).body).toMatchObject({ status: 'approved' })
  expect((await agent.post('/second-factor').set(html).expect(302)).headers['location']).toBe('/')
  expect((await agent.get('/').expect(200)).text).toContain('two factors')
}, 60_000)

test('the waiting page of the README repeats nothing of its address', async () => {
  const { app } = await startReadme()
  const page = await request(app)
    .get(`/waiting/${encodeURIComponent("'-alert(1)-'<x>\"")}`)
    .expect(200)
  expect(page.text).not.toMatch(/alert|<x>/)
}, 60_000)

async function startReadme(): Promise<{ readonly app: string; readonly phone: string }> {
  const program = pages().find(({ name }) => name === 'README.md')?.program ?? ''
  // Inside the project, so that the program finds the packages.
  const folder = join(root, 'test/docs/.programs')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'readme-login.ts')
  writeFileSync(file, program)
  const probe = await listening(createServer())
  await probe.close()
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'test', PORT: String(probe.port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    const exited = once(child, 'exit')
    child.kill()
    await exited
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const phone = /phone (http:\S+)/.exec(line.toString())?.[1] ?? ''
  return { app: `http://localhost:${probe.port}`, phone }
}
