import express from 'express'
import { afterEach, describe, expect, it, test } from 'vitest'
import { createApprovals } from 'passport-outofband'
import { PassByMeClient, passByMeChannel } from 'passport-outofband/passbyme'
import { passByMeCallback, type PassByMeCallbackOptions } from 'passport-outofband/webhooks'
import { startSandbox } from 'passport-outofband/sandbox'
import { MemoryStateStore } from 'passport-outofband/stores'
import { listen, type Listening } from '../support/listen.js'
import { waitFor } from '../support/wait-for.js'

const SECRET = 'not-to-be-guessed-1234'
const servers: Listening[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function open(parse = false) {
  const nudged: object[] = []
  const approvals = {
    nudge: async (hint: object) => {
      nudged.push(hint)
      throw new Error('the store is down')
    },
  }
  const app = express()
  if (parse) app.use(express.json())
  app.use('/passbyme', passByMeCallback({ approvals, secret: SECRET }))
  const server = await listen(app)
  servers.push(server)
  const post = async (path: string, body: string, method = 'POST') => {
    const headers = { 'content-type': 'application/json' }
    const init = method === 'POST' ? { method, headers, body } : { method }
    return (await fetch(`${server.url}/passbyme${path}`, init)).status
  }
  return { nudged, post }
}

describe('passByMeCallback', () => {
  test.each([false, true])(
    'takes a hint, and nothing of what it says (a parser before it: %s) [SC 30]',
    async (parse) => {
      const { nudged, post } = await open(parse)
      const body = JSON.stringify({ messageId: 'm', recipients: [{ userId: 'a', status: 'APPROVED' }] })
      expect(await post(`/${SECRET}`, body)).toBe(204)
      expect(nudged).toEqual([{ channel: 'passbyme', reference: 'm' }])
    },
  )

  test.each([
    ['without the secret', '/', '{"messageId":"m"}', 403],
    ['with another one', `/${SECRET}x`, '{"messageId":"m"}', 403],
    ['with the secret in the query', `/?${SECRET}`, '{"messageId":"m"}', 403],
    ['that is no JSON', `/${SECRET}`, '<html>', 400],
    ['without a message', `/${SECRET}`, '{}', 400],
    ['with a list for a message', `/${SECRET}`, '{"messageId":["m"]}', 400],
    ['that is empty', `/${SECRET}`, '', 400],
  ])('refuses a call %s', async (_why, path, body, status) => {
    const { nudged, post } = await open()
    expect(await post(path, body)).toBe(status)
    expect(nudged).toEqual([])
  })

  it('refuses a GET, and a body of more than 64 KiB', async () => {
    const { nudged, post } = await open()
    expect(await post(`/${SECRET}`, '', 'GET')).toBe(405)
    expect(await post(`/${SECRET}`, JSON.stringify({ messageId: 'm', x: 'x'.repeat(70_000) })).catch(() => 400)).toBe(
      400,
    )
    expect(nudged).toEqual([])
  })

  it('refuses a secret that could be guessed', () => {
    const options = { approvals: { nudge: async () => undefined }, secret: 'short' } satisfies PassByMeCallbackOptions
    expect(() => passByMeCallback(options)).toThrow(expect.objectContaining({ option: 'secret' }))
  })

  it('makes an approval known at once, without waiting for the interval', async () => {
    const sandbox = await startSandbox()
    const { url, pemFile, caFile, passphrase } = sandbox.passbyme
    const client = new PassByMeClient({
      baseUrl: url,
      cert: pemFile,
      passphrase,
      ca: caFile,
      allowLoopbackCallback: true,
    })
    const app = express()
    const server = await listen(app)
    servers.push(server)
    const channel = {
      ...passByMeChannel(client, { callbackUrl: `${server.url}/passbyme/${SECRET}` }),
      pollIntervalMs: 600_000,
    }
    let offset = 0
    let hints = 0
    const state = new MemoryStateStore({ runtime: { now: () => Date.now() + offset } })
    const approvals = createApprovals({ state, channels: [channel] })
    const nudge = async (hint: Parameters<typeof approvals.nudge>[0]) => {
      hints += 1
      await approvals.nudge(hint)
    }
    app.use('/passbyme', passByMeCallback({ approvals: { nudge }, secret: SECRET }))
    const reference = 'alice@example.org'
    const started = await approvals.start({
      channel: 'passbyme',
      subject: 'u',
      reference,
      purpose: 'login',
      message: 'x?',
    })
    // The first callback tells of the message itself; within its second a further hint is not followed.
    await waitFor(() => hints === 1)
    offset += 1_100
    await sandbox.phone.approve({ recipient: reference })
    await waitFor(async () => (await approvals.status(started)).status === 'approved')
    client.close()
    await sandbox.close()
  })
})
