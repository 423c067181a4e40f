import { networkInterfaces } from 'node:os'
import { ConfigurationError, SandboxError } from 'passport-outofband'
import { AuthyClient } from 'passport-outofband/authy'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { afterEach, expect, test, vi } from 'vitest'

const started: Sandbox[] = []

async function open(options: Parameters<typeof startSandbox>[0] = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options)
  started.push(sandbox)
  return sandbox
}

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(started.splice(0).map((sandbox) => sandbox.close()))
})

test('does not start in production [SC 95]', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  await expect(open()).rejects.toThrow(ConfigurationError)
})

test('listens on the loopback address only [SC 95]', async () => {
  const sandbox = await open()
  const others = Object.values(networkInterfaces())
    .flat()
    .flatMap((entry) => (entry && !entry.internal && entry.family === 'IPv4' ? [entry.address] : []))
  for (const address of others) {
    const url = sandbox.phone.url.replace('127.0.0.1', address)
    await expect(fetch(url)).rejects.toThrow()
  }
  expect(new URL(sandbox.phone.url).hostname).toBe('127.0.0.1')
  expect(new URL(sandbox.authy.url).hostname).toBe('127.0.0.1')
})

test('leaves an idle connection open for ten minutes, for clients that keep one and cannot open it anew', async () => {
  const { phone, authy } = await open()
  for (const url of [phone.url, authy.url]) {
    const answer = await fetch(url, { headers: { connection: 'keep-alive' } })
    await answer.arrayBuffer()
    expect(answer.headers.get('keep-alive')).toBe('timeout=600')
  }
})

test('takes ports in a row from the first one, the phone first', async () => {
  const free = await open()
  const port = Number(new URL(free.phone.url).port)
  await free.close()
  const sandbox = await open({ port })
  expect(sandbox.describe()).toMatchObject({
    authy: { url: `http://127.0.0.1:${port + 1}` },
    phone: { url: `http://127.0.0.1:${port}` },
  })
})

test('says which port is taken, and leaves nothing open behind', async () => {
  const first = await open()
  const port = Number(new URL(first.authy.url).port)
  await expect(open({ port })).rejects.toThrow(SandboxError)
})

test('refuses an option that it does not know, and an API key that looks real', async () => {
  const misspelt: object = { prot: 1 }
  await expect(startSandbox(misspelt)).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'prot' })
  await expect(open({ authy: { apiKey: 'd57d919d11e6b221c9bf6f7c882028f9' } })).rejects.toMatchObject({
    option: 'authy.apiKey',
  })
})

test('gives out API keys that the client refuses to send to the real service [SC 95]', async () => {
  const sandbox = await open()
  const { apiKey, url: baseUrl } = sandbox.authy
  expect(apiKey).toMatch(/^sandbox[0-9a-f]{25}$/)
  expect(() => new AuthyClient({ apiKey })).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option: 'apiKey' }))
  await expect(new AuthyClient({ apiKey, baseUrl }).app.details()).resolves.toBeDefined()
})

test('ends at once while somebody waits for an answer', async () => {
  const sandbox = await open()
  sandbox.faults.add({ kind: 'hang' })
  const waiting = fetch(`${sandbox.authy.url}/protected/json/app/details`)
  waiting.catch(() => undefined)
  await vi.waitFor(() => expect(sandbox.faults.list()[0]?.hits).toBe(1))
  await sandbox.close()
  await expect(waiting).rejects.toThrow()
})
