import { createHash } from 'node:crypto'

import fc from 'fast-check'
import { afterEach, describe, expect, it, test } from 'vitest'
import { approvalOf, approvedStream, requireApproval, type RequireApprovalOptions } from 'passport-outofband/middleware'
import { MemoryStateStore } from 'passport-outofband/stores'
import { MemoryStore as SessionMemory } from 'express-session'
import { phoneChannel } from '../support/phone-channel.js'
import { Browser, transferApp, type TransferApp, type TransferAppOptions } from './transfer-app.js'

const apps: TransferApp[] = []
async function open(options: TransferAppOptions = {}): Promise<TransferApp> {
  const app = await transferApp(options)
  apps.push(app)
  return app
}
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()))
})

const transfer = { amountCents: '1000', payee: 'Bob' }

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, string>
}

async function call(
  app: TransferApp,
  over: { user?: string; jti?: string; token?: string; body?: object } = {},
): Promise<Answer> {
  const response = await fetch(`${app.url}/transfers`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-user': over.user ?? 'alice',
      'x-jti': over.jti ?? 'jti-1',
      ...(over.token !== undefined && { 'approval-token': over.token }),
    },
    body: JSON.stringify(over.body ?? transfer),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, string> }
}

describe.each([false, true])('a browser (Express 4: %s)', (express4) => {
  it('waits, and its form of the original fields executes once after the approval [SC 35]', async () => {
    const app = await open({ express4 })
    const browser = new Browser(app.url)
    const asked = await browser.post('/transfers?from=main', { ...transfer, note: `"<b>'&`, _csrf: 'old' })
    expect(asked.status).toBe(303)
    const location = asked.headers.get('location')!
    expect(location).toMatch(/^\/approvals\/[\w-]{22}$/)
    expect(app.phone.messages).toEqual(['Pay 1000 cents to Bob?'])
    expect(app.executed).toEqual([])

    const html = await (await browser.get(location)).text()
    expect(html).toContain('action="/transfers?from=main"')
    expect(html).toContain('value="&quot;&lt;b&gt;&#39;&amp;"')
    expect(html).toContain('name="_csrf" value="fresh"')
    expect(html).not.toContain('old')

    const early = await browser.resubmit(location)
    expect([early.status, early.headers.get('location')]).toEqual([303, location])
    expect(app.phone.asked).toHaveLength(1)

    await app.decide('approved')
    const done = await browser.resubmit(location)
    expect(done.status).toBe(201)
    expect(app.executed).toEqual([{ id: location.split('/')[2], bound: { amountCents: 1000, payee: 'Bob' } }])
    expect((await browser.get(location)).status).toBe(404)
  })

  test.each([{ amountCents: '1001' }, { payee: 'Mallory' }])(
    'needs a new approval for the changed field %j',
    async (change) => {
      const app = await open({ express4 })
      const browser = new Browser(app.url)
      const first = (await browser.post('/transfers', transfer)).headers.get('location')!
      await app.decide('approved')
      const again = await browser.resubmit(first, change)
      expect(again.status).toBe(303)
      expect(again.headers.get('location')).not.toBe(first)
      expect(app.executed).toEqual([])
      expect(app.phone.asked).toHaveLength(2)
    },
  )
})

describe('a browser', () => {
  it('executes nothing after a denial, is told once, and asks again only when the person does', async () => {
    const app = await open()
    const browser = new Browser(app.url)
    const location = (await browser.post('/transfers', transfer)).headers.get('location')!
    await app.decide('denied')
    const denied = await browser.resubmit(location)
    expect([denied.status, (await denied.json()) as object]).toEqual([
      403,
      expect.objectContaining({ error: 'approval_denied' }),
    ])
    expect(app.phone.asked).toHaveLength(1)
    expect(app.executed).toEqual([])
  })

  it('goes to deniedPath where one is given', async () => {
    const app = await open({ over: { deniedPath: '/denied/:id' } })
    const browser = new Browser(app.url)
    const location = (await browser.post('/transfers', transfer)).headers.get('location')!
    await app.decide('denied')
    expect((await browser.resubmit(location)).headers.get('location')).toBe(location.replace('approvals', 'denied'))
  })

  it('of another session gets neither the form nor the approval [SC 28]', async () => {
    const app = await open()
    const alice = new Browser(app.url)
    const mallory = new Browser(app.url)
    const location = (await alice.post('/transfers', transfer)).headers.get('location')!
    await app.decide('approved')
    expect((await mallory.get(location)).status).toBe(404)
    expect((await mallory.post('/transfers', transfer)).status).toBe(303)
    expect(app.executed).toEqual([])
  })

  it('of another user in the same session gets nothing of it [SC 28]', async () => {
    const app = await open()
    const browser = new Browser(app.url)
    await browser.post('/transfers', transfer)
    await app.decide('approved')
    expect((await browser.as('bob').post('/transfers', transfer)).status).toBe(303)
    expect(app.executed).toEqual([])
  })

  it('executes once under 50 simultaneous submissions [SC 29]', async () => {
    const app = await open()
    const browser = new Browser(app.url)
    await browser.post('/transfers', transfer)
    await app.decide('approved')
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await browser.post('/transfers', transfer)).status),
    )
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
    expect(app.executed).toHaveLength(1)
  })

  it('is refused a form that is too large to wait', async () => {
    const app = await open()
    const answer = await new Browser(app.url).post('/transfers', { ...transfer, note: 'x'.repeat(70_000) })
    expect(answer.status).toBe(413)
    expect(app.phone.asked).toEqual([])
  })

  it('is refused when another site caused the request', async () => {
    const app = await open()
    const headers = {
      'x-user': 'alice',
      accept: 'text/html',
      origin: 'https://evil.example',
      'sec-fetch-site': 'cross-site',
    }
    const body = new URLSearchParams(transfer)
    expect((await fetch(`${app.url}/transfers`, { method: 'POST', headers, body })).status).toBe(403)
    expect(app.phone.asked).toEqual([])
  })
})

describe('a browser that is refused', () => {
  const page: RequireApprovalOptions['onRefused'] = (refusal, _req, res) => {
    res.setHeader('Content-Type', 'text/html')
    res.end(`<h1>${refusal.title}</h1><p>${String(refusal['error'])}`)
  }

  it('gets the page of onRefused, with the status and Retry-After kept', async () => {
    const app = await open({ over: { onRefused: page } })
    await new Browser(app.url).post('/transfers', transfer)
    const answer = await new Browser(app.url).post('/transfers', transfer)
    expect([answer.status, await answer.text()]).toEqual([
      429,
      '<h1>No approval can be asked for now</h1><p>approval_limited',
    ])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    const unenrolled = await new Browser(app.url, 'phoneless').post('/transfers', transfer)
    expect([unenrolled.status, await unenrolled.text()]).toEqual([403, expect.stringContaining('not_enrolled')])
  })

  it('gets it for a denial as well, unless that has a path of its own', async () => {
    for (const [over, status] of [
      [{ onRefused: page }, 403],
      [{ onRefused: page, deniedPath: '/denied' }, 303],
    ] as const) {
      const app = await open({ over })
      const browser = new Browser(app.url)
      const waiting = await browser.post('/transfers', transfer)
      await app.decide('denied')
      expect((await browser.resubmit(waiting.headers.get('location') ?? '')).status).toBe(status)
    }
  })

  it('gets the error page of the application when onRefused fails; API callers get the problem', async () => {
    const app = await open({
      over: {
        onRefused: () => {
          throw new Error('no template')
        },
      },
    })
    expect((await new Browser(app.url, 'phoneless').post('/transfers', transfer)).status).toBe(500)
    expect(app.errors.map(({ message }) => message)).toEqual(['no template'])
    expect(await call(app, { user: 'phoneless' })).toMatchObject({ status: 403, body: { error: 'not_enrolled' } })
  })
})

describe('an API caller', () => {
  it('gets a token, is told to wait, and executes once with it', async () => {
    const app = await open()
    const asked = await call(app)
    expect(asked.status).toBe(202)
    expect(asked.body).toMatchObject({ status: 'pending', message: 'Pay 1000 cents to Bob?' })
    expect(asked.headers.get('location')).toBe(`/approvals/${asked.body['id']}`)
    const token = asked.body['approval_token']!
    const early = await call(app, { token })
    expect([early.status, early.body['approval_token']]).toEqual([202, token])
    expect(app.phone.asked).toHaveLength(1)
    await app.decide('approved')
    expect((await call(app, { token })).status).toBe(201)
    const again = await call(app, { token })
    expect([again.status, again.body['error']]).toEqual([409, 'approval_used'])
    expect(app.executed).toHaveLength(1)
  })

  it('executes once under 50 simultaneous retries, over two nodes [SC 29]', async () => {
    const state = new MemoryStateStore()
    const one = await open({ state })
    const two = await open({ state })
    const token = (await call(one)).body['approval_token']!
    await one.decide('approved')
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => (await call(index % 2 ? one : two, { token })).status),
    )
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
    expect(statuses.filter((status) => status === 409)).toHaveLength(49)
    expect([...one.executed, ...two.executed]).toHaveLength(1)
  })

  it('executes nothing twice when the handler fails between redeem and transfer [SC 29]', async () => {
    const state = new MemoryStateStore()
    const dying = await open({
      state,
      before: () => {
        throw new Error('the process died here')
      },
    })
    const heir = await open({ state })
    const token = (await call(dying)).body['approval_token']!
    await dying.decide('approved')
    expect((await call(dying, { token })).status).toBe(500)
    const retries = await Promise.all(Array.from({ length: 5 }, async () => call(heir, { token })))
    expect(retries.map(({ status }) => status)).toEqual([409, 409, 409, 409, 409])
    expect([...dying.executed, ...heir.executed]).toEqual([])
  })

  test.each([
    ['a changed amount', { body: { ...transfer, amountCents: '1001' } }, 'approval_mismatch'],
    ['a changed payee', { body: { ...transfer, payee: 'Mallory' } }, 'approval_mismatch'],
    ['another subject', { user: 'bob' }, 'approval_mismatch'],
    ['another access token', { jti: 'jti-2' }, 'approval_token'],
  ] as const)(
    'is refused for %s, and the approval stays good for what it was given for [SC 28]',
    async (_why, over, error) => {
      const app = await open()
      const token = (await call(app)).body['approval_token']!
      await app.decide('approved')
      const answer = await call(app, { token, ...over })
      expect([answer.status, answer.body['error']]).toEqual([403, error])
      expect(app.executed).toEqual([])
      expect((await call(app, { token })).status).toBe(201)
    },
  )

  it('is refused with any token that was not issued', async () => {
    const app = await open()
    const token = (await call(app)).body['approval_token']!
    await app.decide('approved')
    const [id = '', secret = ''] = token.split('.')
    const forged = [
      '',
      'x',
      id,
      `${id}.`,
      `${id}.${'A'.repeat(43)}`,
      `${secret}.${id}`,
      `${token}x`,
      `${token}, ${token}`,
    ]
    for (const wrong of forged) expect((await call(app, { token: wrong })).body['error']).toBe('approval_token')
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[\x20-\x7e]{0,80}$/), async (wrong) => {
        expect((await call(app, { token: wrong })).status).toBe(403)
      }),
      { numRuns: 20 },
    )
    expect(app.executed).toEqual([])
  })

  it.each(['denied'] as const)('is told that it was %s, and nothing is executed', async (status) => {
    const app = await open()
    const token = (await call(app)).body['approval_token']!
    await app.decide(status)
    const answer = await call(app, { token })
    expect([answer.status, answer.body['error']]).toEqual([403, `approval_${status}`])
    expect(app.phone.asked).toHaveLength(1)
  })

  it('is limited while another question waits for the same person [SC 33]', async () => {
    const app = await open()
    await call(app)
    const second = await call(app, { jti: 'jti-2' })
    expect([second.status, second.body['error']]).toEqual([429, 'approval_limited'])
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(app.phone.asked).toHaveLength(1)
  })

  it('is told that the factor is not set up', async () => {
    const app = await open()
    const answer = await call(app, { user: 'phoneless' })
    expect([answer.status, answer.body['error']]).toEqual([403, 'not_enrolled'])
  })

  test.each([
    ['no amount', { payee: 'Bob' }],
    ['a payee that turns the text around', { ...transfer, payee: 'Bob\u202e' }],
    ['a payee with a line break', { ...transfer, payee: 'Bob\nApproved by the bank' }],
    ['a payee longer than a prompt', { ...transfer, payee: 'x'.repeat(300) }],
    ['an array for the payee', { ...transfer, payee: ['Bob'] }],
  ])('with %s is refused before anybody is asked [SC 26, 37]', async (_why, body) => {
    const app = await open()
    expect((await call(app, { body })).status).toBe(400)
    expect(app.phone.asked).toEqual([])
  })

  it('without a user is told to sign in, and a GET is no way in', async () => {
    const app = await open()
    expect((await fetch(`${app.url}/transfers`, { method: 'POST' })).status).toBe(401)
    expect(app.phone.asked).toEqual([])
  })

  it('gets no way in when the provider is down', async () => {
    const app = await open()
    app.phone.isDown = true
    expect((await call(app)).status).toBe(500)
    expect(app.executed).toEqual([])
  })
})

describe('options', () => {
  const complete = (): RequireApprovalOptions => ({
    approvals: apps[0]!.approvals,
    state: apps[0]!.state,
    channel: 'authy',
    purpose: 'transfer',
    bind: () => ({}),
    message: () => 'x',
    reference: () => 'x',
    waitingPath: '/wait/:id',
  })

  test.each([
    ['a purpose that is no transaction', { purpose: 'login' }, 'purpose'],
    ['a message that is not made of what is bound', { message: 'Pay?' }, 'message'],
    ['a waiting page on another site', { waitingPath: '//evil.example' }, 'waitingPath'],
    ['nobody to ask', { reference: undefined }, 'reference'],
    ['a channel that shows no text', { channel: { ...phoneChannel(), showsMessage: false } }, 'channel'],
    [
      'recipients alone where people have many ids',
      { channel: { ...phoneChannel(), identify: async () => 'x' }, reference: undefined, recipients: () => [] },
      'reference',
    ],
    ['a misspelt one', { purpos: 'x' }, 'purpos'],
  ])('refuse %s', async (_why, over, option) => {
    await open()
    const options: object = { ...complete(), ...over }
    expect(() => requireApproval(options as RequireApprovalOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', option }),
    )
  })

  it('a route that is not behind requireApproval has no approval', () => {
    expect(() => approvalOf({ headers: {} })).toThrow(expect.objectContaining({ code: 'ERR_CONFIGURATION' }))
  })
})

describe('approvedStream', () => {
  const content = Buffer.from('the whole document')
  const approved = { size: content.length, sha256: createHash('sha256').update(content).digest('hex') }
  async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  async function read(source: AsyncIterable<Uint8Array>): Promise<{ text: string; error?: unknown }> {
    const got: Uint8Array[] = []
    try {
      for await (const chunk of approvedStream(source, approved)) got.push(chunk)
      return { text: Buffer.concat(got).toString() }
    } catch (error) {
      return { text: Buffer.concat(got).toString(), error }
    }
  }

  it('hands on what was approved, in any pieces', async () => {
    for (const size of [1, 3, 7, 100]) expect(await read(pieces(content, size))).toEqual({ text: content.toString() })
  })

  test.each([
    ['a byte changed', Buffer.from('the whole dOcument')],
    ['a byte more', Buffer.concat([content, Buffer.from('!')])],
    ['a byte less', content.subarray(1)],
    ['nothing', Buffer.alloc(0)],
  ])('never hands on a complete stream with %s', async (_why, bytes) => {
    for (const size of [1, 3, 100]) {
      const { text, error } = await read(pieces(bytes, size))
      expect(error).toMatchObject({ code: 'ERR_APPROVAL_NOT_REDEEMABLE', reason: 'binding' })
      expect(text.length).toBeLessThan(Math.max(1, bytes.length))
    }
  })
})

test('a question that is sent while another tab signs out does not bring the session back [SC 77]', async () => {
  const sessions = new SessionMemory()
  const app = await open({ sessions })
  const browser = new Browser(app.url)
  // A first question gives the browser its session.
  expect((await browser.post('/transfers', transfer)).status).toBe(303)
  await app.decide('approved')
  expect((await browser.post('/transfers', transfer)).status).toBe(201)
  const stored = (): readonly string[] => Object.keys(Reflect.get(sessions, 'sessions') as object)
  const [id = ''] = stored()
  expect(id).not.toBe('')
  const start = app.phone.start.bind(app.phone)
  app.phone.start = async (...args) => {
    // The other tab signs out while the provider takes the question.
    await new Promise<void>((resolve) => sessions.destroy(id, () => resolve()))
    return start(...args)
  }
  expect((await browser.post('/transfers', { ...transfer, payee: 'Carol' })).status).toBe(401)
  expect(stored()).not.toContain(id)
})
