import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const cli = resolve(root, 'dist/cli.js')
const started: ChildProcess[] = []

beforeAll(() => {
  // From the built package, as a user has it. `npm test` builds first.
  if (!existsSync(cli))
    execFileSync(process.execPath, [resolve(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
      cwd: root,
    })
})
afterEach(async () => {
  // Asked to stop, so that it takes its temporary files away.
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
  }
})

function run(args: string[], env: NodeJS.ProcessEnv = {}, stdin: 'pipe' | 'ignore' = 'ignore') {
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: [stdin, 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'test', ...env },
  })
  started.push(child)
  const output = { out: '', err: '' }
  child.stdout?.on('data', (chunk: Buffer) => (output.out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output.err += chunk.toString()))
  return { child, output, exit: once(child, 'exit').then(([code]) => Number(code)) }
}

interface Line {
  readonly authy: { readonly url: string; readonly apiKey: string }
  readonly gateways: { readonly smsUrl: string; readonly emailUrl: string }
  readonly phone: { readonly url: string }
}

async function line(output: { readonly out: string }): Promise<Line> {
  await vi.waitFor(() => expect(output.out).toContain('\n'), { timeout: 10_000 })
  return JSON.parse(output.out) as Line
}

test('prints one line of JSON when everything listens, and nothing else', async () => {
  const { child, output, exit } = run(['sandbox', '--json', '--port', '0'])
  const { authy, gateways, phone } = await line(output)
  expect(gateways).toEqual({
    smsUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:[0-9]+\/api\/v1\.0\/$/),
    emailUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:[0-9]+\/api\/v1\.0\/$/),
  })
  expect(authy.url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+$/)
  const answer = await fetch(`${authy.url}/protected/json/app/details`, {
    headers: { 'X-Authy-API-Key': authy.apiKey },
  })
  expect(answer.status).toBe(200)
  expect((await fetch(`${phone.url}/api/pushes`)).status).toBe(200)
  child.kill('SIGTERM')
  expect(await exit).toBe(0)
  expect(output.out.trim().split('\n')).toHaveLength(1)
  expect(output.err).toBe('')
})

test('stops within a second of SIGTERM, also while a page listens to the live stream', async () => {
  const { child, output, exit } = run(['sandbox', '--json'])
  const { phone } = await line(output)
  const stream = await fetch(`${phone.url}/api/events`)
  const reading = stream.text().catch(() => 'broken off')
  child.kill('SIGTERM')
  const late = new Promise((done) => setTimeout(done, 1000, 'late'))
  expect(await Promise.race([exit, late])).toBe(0)
  await reading
})

test('stops when the process that started it is killed', async () => {
  const script = `
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, [${JSON.stringify(cli)}, 'sandbox', '--json'], { stdio: ['ignore', 'inherit', 'inherit'] })
    process.stderr.write(String(child.pid))
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'test' },
  })
  started.push(parent)
  const output = { out: '' }
  parent.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()))
  const { phone } = await line(output)
  parent.kill('SIGKILL')
  await vi.waitFor(() => expect(fetch(`${phone.url}/api/pushes`)).rejects.toThrow(), { timeout: 5000, interval: 50 })
})

test('stops when the pipe to its standard input is closed', async () => {
  const { child, output, exit } = run(['sandbox', '--json'], {}, 'pipe')
  await line(output)
  child.stdin?.end()
  expect(await exit).toBe(0)
})

test('refuses to start in production [SC 95]', async () => {
  const { output, exit } = run(['sandbox', '--json'], { NODE_ENV: 'production' })
  expect(await exit).toBe(1)
  expect(output.out).toBe('')
  expect(output.err).toContain('NODE_ENV=production')
})

test.each([
  [['sandbox', '--prot', '1'], '--prot'],
  [['sandbox', '--port', 'x'], '--port'],
  [['sandbox', '--authy-callback-method', 'GET'], '--authy-callback'],
  [['sandbx'], 'sandbx'],
])('says what is wrong with the arguments %j', async (args, word) => {
  const { output, exit } = run(args)
  expect(await exit).toBe(2)
  expect(output.err).toContain(word)
})

test('explains itself', async () => {
  const { output, exit } = run(['--help'])
  expect(await exit).toBe(0)
  expect(output.out).toContain('sandbox')
})

test('prints the links for people when it is not asked for JSON', async () => {
  const { output } = run(['sandbox'])
  await vi.waitFor(() => expect(output.out).toMatch(/The phone: {2}http:\/\/127\.0\.0\.1:[0-9]+/), { timeout: 10_000 })
})
