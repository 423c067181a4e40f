import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import {
  ActiveconnectClient,
  signActiveconnectRequest,
  type SignActiveconnectOptions,
} from 'passport-outofband/activeconnect'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'

let sandbox: Sandbox
let app: { readonly clientId: string; readonly secret: string }
let client: ActiveconnectClient

beforeAll(async () => {
  sandbox = await startSandbox()
  const { url, applicationId, applicationSecret } = sandbox.activeconnect
  app = { clientId: applicationId, secret: applicationSecret }
  client = new ActiveconnectClient({ baseUrl: url, applicationId, applicationSecret })
  await client.users.add('alice')
  await sandbox.phone.enrol(await client.users.registrationLink('alice'))
})
afterAll(() => sandbox.close())

interface Attempt {
  readonly path?: string
  readonly signedPath?: string
  readonly method?: string
  readonly sign?: Partial<SignActiveconnectOptions>
  readonly change?: (headers: Record<string, string>) => void
}

async function attempt({ path = hasDevice(), signedPath = path, method = 'GET', sign, change }: Attempt = {}) {
  const { url } = sandbox.activeconnect
  const headers = { ...signActiveconnectRequest({ ...app, url: url + signedPath, ...sign }).headers }
  change?.(headers)
  const send = async () => (await fetch(url + path, { method, headers })).status
  return { status: await send(), again: send, headers }
}

function hasDevice(user = 'alice'): string {
  return `/management/has_registered_mobile_device/${app.clientId}/${user}`
}

const now = () => Math.floor(Date.now() / 1000)

describe('the signature', () => {
  it('is accepted as it should be', async () => {
    expect((await attempt()).status).toBe(200)
  })

  test.each<readonly [string, () => Attempt]>([
    [
      'a wrong digest',
      () => ({
        change: (h) => (h['Authentication'] = h['Authentication']!.replace(/:[^:]+$/, `:${'A'.repeat(22)}==`)),
      }),
    ],
    ['a wrong secret', () => ({ sign: { secret: 'x' } })],
    ['a stale timestamp', () => ({ sign: { timestampSeconds: now() - 310 } })],
    ['a timestamp ahead', () => ({ sign: { timestampSeconds: now() + 310 } })],
    ['a wrong path', () => ({ signedPath: hasDevice('bob') })],
    ['a wrong query', () => ({ path: `${hasDevice()}?a=1`, signedPath: `${hasDevice()}?a=2` })],
    ['no query where one was signed', () => ({ signedPath: `${hasDevice()}?a=1` })],
    ['an unknown application', () => ({ sign: { clientId: 'nobody' } })],
    ['no version', () => ({ change: (h) => delete h['X-Sonikpass-Authentication-Version'] })],
    ['no credential', () => ({ change: (h) => delete h['Authentication'] })],
    [
      'dialect documented, which this sandbox does not speak',
      () => ({ sign: { dialect: 'documented', secretEncoding: 'utf8', secret: 'x'.repeat(24) } }),
    ],
    ['a URL of another service', () => ({ sign: { url: `http://evil.example${hasDevice()}` } })],
    [
      'the URL of another call behind a second scheme (vendor bug 3)',
      () => ({
        path: `${hasDevice()}?z=://${new URL(sandbox.activeconnect.url).host}${hasDevice('bob')}`,
        signedPath: hasDevice('bob'),
      }),
    ],
  ])('is refused for %s [SC 88]', async (_why, make) => {
    expect((await attempt(make())).status).toBe(401)
  })

  it('is refused the second time: the nonce was used [SC 88]', async () => {
    const { status, again } = await attempt()
    expect([status, await again(), await again()]).toEqual([200, 401, 401])
  })

  it('opens no other endpoint when captured [SC 88]', async () => {
    const { headers } = await attempt({ path: hasDevice('alice') })
    const paths = [
      hasDevice('bob'),
      `/management/lost_user_mobile_device/${app.clientId}/alice`,
      `/authentication/authenticate_user/${app.clientId}/alice`,
    ]
    for (const path of paths) {
      for (const method of ['GET', 'POST']) {
        const { status } = await fetch(sandbox.activeconnect.url + path, { method, headers })
        expect([401, 405]).toContain(status)
      }
    }
  })

  it('of a good application does not open another one', async () => {
    const other = sandbox.activeconnect.addApplication()
    const sign = { clientId: other.applicationId, secret: other.applicationSecret }
    expect((await attempt({ sign })).status).toBe(403)
  })
})

describe('two kinds of credentials', () => {
  async function startedByHand(): Promise<
    Record<'status_url' | 'logout_url' | 'session_token' | 'session_secret', string>
  > {
    const path = `/authentication/authenticate_user/${app.clientId}/alice`
    const url = sandbox.activeconnect.url + path
    const response = await fetch(url, { method: 'POST', headers: signActiveconnectRequest({ ...app, url }).headers })
    expect(response.status).toBe(202)
    const body = (await response.json()) as { authentication_status: Awaited<ReturnType<typeof startedByHand>> }
    return body.authentication_status
  }

  async function ask(url: string, credential: { clientId: string; secret: string }, method = 'GET'): Promise<number> {
    return (await fetch(url, { method, headers: signActiveconnectRequest({ ...credential, url }).headers })).status
  }

  it("refuses an application's credentials on a session's URL, and the reverse [SC 88]", async () => {
    const started = await startedByHand()
    const session = { clientId: started.session_token, secret: started.session_secret }
    expect(await ask(started.status_url, session)).toBe(200)
    expect(await ask(started.status_url, app)).toBe(401)
    expect(await ask(started.logout_url, app, 'POST')).toBe(401)
    expect(await ask(sandbox.activeconnect.url + hasDevice(), session)).toBe(401)
  })

  it("refuses one session's credentials on another's URL", async () => {
    const first = await startedByHand()
    const second = await startedByHand()
    expect(await ask(second.status_url, { clientId: first.session_token, secret: first.session_secret })).toBe(401)
  })
})

describe('behaviour', () => {
  it('speaks dialect documented when it is told to', async () => {
    const other = await startSandbox({ activeconnect: { dialect: 'documented' } })
    try {
      const { url, applicationId, applicationSecret } = other.activeconnect
      const documented = new ActiveconnectClient({
        baseUrl: url,
        applicationId,
        applicationSecret,
        dialect: 'documented',
      })
      expect(await documented.users.add('x')).toBe('success')
      const shipped = new ActiveconnectClient({ baseUrl: url, applicationId, applicationSecret })
      await expect(shipped.users.add('y')).rejects.toMatchObject({ status: 401 })
    } finally {
      await other.close()
    }
  })

  it('lets a link be opened once, and binds one phone a user', async () => {
    await client.users.add('once')
    const link = await client.users.registrationLink('once')
    const second = await client.users.registrationLink('once')
    await sandbox.phone.enrol(link)
    await expect(sandbox.phone.enrol(link)).rejects.toThrow('INVALID_TOKEN')
    await expect(sandbox.phone.enrol(second)).rejects.toThrow('EXISTING_MOBILE_DEVICE')
  })

  it('cancels an older request of the same user', async () => {
    const first = await client.authenticate('alice')
    await client.authenticate('alice')
    expect(await first.status()).toBe('cancelled')
  })

  it('gives up a request after a minute, in either spelling', async () => {
    const own = await startSandbox()
    try {
      const { url, applicationId, applicationSecret } = own.activeconnect
      const { clock } = own
      const moved = new ActiveconnectClient({
        baseUrl: url,
        applicationId,
        applicationSecret,
        runtime: { now: () => clock.now() },
      })
      await moved.users.add('slow')
      await own.phone.enrol(await moved.users.registrationLink('slow'))
      const session = await moved.authenticate('slow')
      clock.advance(59_000)
      expect(await session.status()).toBe('pending')
      clock.advance(2_000)
      own.activeconnect.quirks.timeoutSpelling = 'time_out'
      expect(await session.status()).toBe('timeout')
    } finally {
      await own.close()
    }
  })

  it('closes a session whose duration, which the later Python package can name, is over', async () => {
    const own = await startSandbox()
    try {
      const { url, applicationId, applicationSecret } = own.activeconnect
      const runtime = { now: () => own.clock.now() }
      const moved = new ActiveconnectClient({ baseUrl: url, applicationId, applicationSecret, runtime })
      await moved.users.add('brief')
      await own.phone.enrol(await moved.users.registrationLink('brief'))
      const call = async (
        method: string,
        target: string,
        signer = { clientId: applicationId, secret: applicationSecret },
      ) => {
        const timestampSeconds = Math.floor(own.clock.now() / 1000)
        const { headers } = signActiveconnectRequest({ ...signer, url: target, timestampSeconds })
        const answer = await fetch(target, { method, headers })
        return { status: answer.status, body: (await answer.json()) as Record<string, Record<string, string>> }
      }
      const start = `${url}/authentication/authenticate_user/${applicationId}/brief`
      for (const wrong of ['0', '-1', 'x', '1.5'])
        expect((await call('POST', `${start}?duration_seconds=${wrong}`)).status).toBe(400)
      const { body } = await call('POST', `${start}?methods=acceptance&duration_seconds=600`)
      const {
        status_url: statusUrl = '',
        session_token: clientId = '',
        session_secret: secret = '',
      } = body['authentication_status']!
      const status = async () =>
        (await call('GET', statusUrl, { clientId, secret })).body['authentication_status']!['session_status']
      own.clock.advance(30_000)
      await own.phone.approve({ recipient: 'brief' })
      own.clock.advance(599_000)
      expect(await status()).toBe('active')
      own.clock.advance(1_000)
      expect(await status()).toBe('closed')
    } finally {
      await own.close()
    }
  })

  it('suspends when the phone is carried away, resumes when it comes back, and ends from the phone', async () => {
    const session = await client.authenticate('alice')
    const push = await sandbox.phone.approve({ recipient: 'alice' })
    const device = sandbox.phone.devices().find(({ owner }) => owner === 'alice')!
    sandbox.phone.setPresence(device.id, 'away')
    expect(await session.status()).toBe('walkaway')
    sandbox.phone.setPresence(device.id, 'near')
    expect(await session.status()).toBe('active')
    await sandbox.phone.act(push.id, 'close')
    expect(await session.status()).toBe('closed')
    await expect(sandbox.phone.act(push.id, 'come-back')).rejects.toThrow()
  })

  it('stands in the JSON line with what a client takes', () => {
    expect(sandbox.describe()['activeconnect']).toEqual({
      url: sandbox.activeconnect.url,
      applicationId: app.clientId,
      applicationSecret: app.secret,
    })
    expect(app.secret).toMatch(/^sandbox/)
  })
})
