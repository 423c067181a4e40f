import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import {
  PassByMeClient,
  PassByMeManagementClient,
  PassByMeMessageType,
  PassByMeStatus,
  passByMeVerdict,
  type PassByMeClientOptions,
  type PassByMeMessage,
  type SessionInfo,
} from 'passport-outofband/passbyme'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { recorder, type Recorder } from './recorder.js'

const ALICE = 'alice@example.org'
const golden = JSON.parse(readFileSync(new URL('../../vectors/passbyme-wire.json', import.meta.url), 'utf8')) as {
  entries: readonly {
    readonly id: string
    readonly request: {
      method: string
      path: string
      headers: Record<string, string>
      body: string | null
      bodyJson?: unknown
    }
    readonly response: { status: number; headers: Record<string, string>; body: string }
  }[]
}

let sandbox: Sandbox
let client: PassByMeClient

beforeAll(async () => {
  sandbox = await startSandbox()
  client = new PassByMeClient(options())
})
afterAll(async () => {
  client.close()
  await sandbox.close()
})
afterEach(() => {
  sandbox.faults.clear()
  Object.assign(sandbox.passbyme.quirks, { unknownRecipient: 'reject', statusWord: undefined, change: undefined })
})

function options(over: Partial<PassByMeClientOptions> = {}): PassByMeClientOptions {
  const { url, pemFile, caFile, passphrase } = sandbox.passbyme
  return { baseUrl: url, cert: pemFile, passphrase, ca: caFile, allowLoopbackCallback: true, ...over }
}

const message = (over: Partial<PassByMeMessage> = {}): PassByMeMessage => ({
  recipients: [ALICE],
  subject: 'Login',
  body: 'Approve sign-in?',
  availability: 300,
  type: 'authorization',
  ...over,
})

describe('the wire', () => {
  let service: Recorder
  beforeEach(async () => {
    service = await recorder(sandbox.passbyme)
  })
  afterEach(() => service.close())

  const entry = (id: string) => golden.entries.find((candidate) => candidate.id === id)!

  it.each(['send-authorization', 'send-420-string-code'])('of sendMessage equals the golden %s', async (id) => {
    const { request, response } = entry(id)
    service.answer = response
    const own = new PassByMeClient(options({ baseUrl: `${service.url}/frontend`, ca: service.ca }))
    const sent = own.sendMessage(message())
    if (response.status === 420) {
      await expect(sent).rejects.toMatchObject({
        code: 'ERR_PASSBYME_SERVICE',
        providerCode: 'NO_DEVICE',
        providerMessage: 'The user has no device.',
      })
    } else {
      const info = await sent
      expect(info).toMatchObject({ messageId: 'YzX95zUA1et2ijQ', secureId: '5cRFBm' })
      expect(info.expirationDate.toISOString()).toBe('2031-06-11T11:06:12.658Z')
      expect(info.recipients).toEqual([{ userId: ALICE, status: 'PENDING' }])
    }
    const [seen] = service.requests
    expect([seen!.method, seen!.path]).toEqual([request.method, request.path])
    expect(seen!.headers['x-pbm-api-version']).toBe('1')
    expect(seen!.headers['content-type']).toBe('application/json')
    expect(JSON.parse(seen!.body)).toEqual(request.bodyJson)
    expect(Object.keys(JSON.parse(seen!.body) as object)).toEqual(Object.keys(request.bodyJson as object))
  })

  it('of trackMessage equals the golden', async () => {
    const { request, response } = entry('track-by-id')
    service.answer = response
    const own = new PassByMeClient(options({ baseUrl: `${service.url}/frontend`, ca: service.ca }))
    const info = await own.trackMessage('YzX95zUA1et2ijQ', { type: 'message' })
    expect(info.recipients.map(({ status }) => status)).toEqual(['PENDING', 'NOTIFIED', 'SEEN'])
    expect(info.verdictOf('pbmId3')).toBe('seen')
    const [seen] = service.requests
    expect([seen!.method, seen!.path, seen!.body]).toEqual([request.method, request.path, ''])
    expect(seen!.headers['x-pbm-api-version']).toBe('1')
  })

  it('of cancelMessage is a DELETE without a body', async () => {
    service.answer = entry('track-by-id').response
    const own = new PassByMeClient(options({ baseUrl: `${service.url}/frontend`, ca: service.ca }))
    await own.cancelMessage('YzX95zUA1et2ijQ')
    const [seen] = service.requests
    expect([seen!.method, seen!.path, seen!.body]).toEqual(['DELETE', '/frontend/messages/YzX95zUA1et2ijQ', ''])
  })

  test.each([
    ['@core1-1.3.6.1-aB3dE5fG', '%40core1-1.3.6.1-aB3dE5fG'],
    ['../../frontend/other', '..%2F..%2Ffrontend%2Fother'],
    ['x?y=1#z', 'x%3Fy%3D1%23z'],
    ['a%2Fb', 'a%252Fb'],
    ['node;PCq1m8', 'node%3BPCq1m8'],
  ])('carries the message id %s as one encoded segment [SC 87]', async (id, segment) => {
    service.answer = entry('track-by-id').response
    const own = new PassByMeClient(options({ baseUrl: `${service.url}/frontend`, ca: service.ca }))
    await expect(own.trackMessage(id)).rejects.toThrow('another message')
    expect(service.requests[0]!.path).toBe(`/frontend/messages/${segment}`)
  })

  test.each(['', '.', '..', 'a\r\nX: y', 'a\u0000'])('refuses the message id %j [SC 87]', async (id) => {
    await expect(client.trackMessage(id)).rejects.toMatchObject({ code: 'ERR_INPUT', field: 'messageId' })
    await expect(client.cancelMessage(id)).rejects.toMatchObject({ code: 'ERR_INPUT' })
    expect(service.requests).toEqual([])
  })

  const info = JSON.parse(entry('send-authorization').response.body) as Record<string, unknown>
  test.each([
    ['an empty body', ''],
    ['no JSON', '<html>'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no message id', { ...info, messageId: undefined }],
    ['an empty message id', { ...info, messageId: '' }],
    ['a number for a message id', { ...info, messageId: 1 }],
    ['no date', { ...info, expirationDate: null }],
    ['a date that is none', { ...info, expirationDate: 'tomorrow' }],
    ['a date of month 13', { ...info, expirationDate: '2031-13-11T13:06:12.658Z' }],
    ['no recipients', { ...info, recipients: undefined }],
    ['a recipient without status', { ...info, recipients: [{ userId: ALICE }] }],
    [
      'a recipient twice',
      {
        ...info,
        recipients: [
          { userId: ALICE, status: 'DENIED' },
          { userId: ALICE, status: 'APPROVED' },
        ],
      },
    ],
  ])('is a protocol error with %s [SC 30, 86]', async (_why, body) => {
    service.answer = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }
    const own = new PassByMeClient(options({ baseUrl: `${service.url}/frontend`, ca: service.ca }))
    await expect(own.sendMessage(message())).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
  })

  test.each([{}, { 'content-type': 'text/plain' }])(
    'is read by its content, whatever its label: %j',
    async (headers) => {
      service.answer = { status: 201, headers, body: JSON.stringify(info) }
      const own = new PassByMeClient(options({ baseUrl: `${service.url}/frontend`, ca: service.ca }))
      expect(await own.sendMessage(message())).toMatchObject({ messageId: 'YzX95zUA1et2ijQ' })
    },
  )

  it('may name somebody otherwise than they were asked for, who then has approved nothing [SC 30]', async () => {
    const recipients = [{ userId: 'a main alias', status: 'APPROVED' }]
    service.answer = { status: 200, headers: {}, body: JSON.stringify({ ...info, recipients }) }
    const own = new PassByMeClient(options({ baseUrl: `${service.url}/frontend`, ca: service.ca }))
    const sent = await own.sendMessage(message())
    expect([sent.verdictOf(ALICE), sent.verdictOf('a main alias')]).toEqual(['error', 'approved'])
  })

  test.each([
    ['420 with a number for a code', 420, '{"code":421}', { code: 'ERR_PASSBYME_SERVICE', providerCode: '421' }],
    ['420 with a code that nobody documents', 420, '{"code":"NEW","message":"x"}', { providerCode: 'NEW' }],
    ['420 without a message', 420, '{"code":"ERROR"}', { providerCode: 'ERROR', providerMessage: undefined }],
    ['an empty 420', 420, '', { code: 'ERR_PROVIDER_REJECTED', status: 420 }],
    ['a 420 that is no JSON', 420, '<html>', { code: 'ERR_PROVIDER_PROTOCOL', status: 420 }],
    ['a 420 that is no object', 420, '"x"', { code: 'ERR_PROVIDER_PROTOCOL', status: 420 }],
    ['401', 401, '', { code: 'ERR_PROVIDER_REJECTED', status: 401 }],
    ['403', 403, '', { code: 'ERR_PROVIDER_REJECTED', status: 403 }],
    ['404', 404, 'no such path', { code: 'ERR_PROVIDER_REJECTED', status: 404 }],
    ['500', 500, '', { code: 'ERR_PROVIDER_UNREACHABLE', reason: 'HTTP_500' }],
    ['a redirect', 302, '', { code: 'ERR_PROVIDER_PROTOCOL', status: 302 }],
  ])('%s is an error of its own', async (_why, status, body, expected) => {
    service.answer = { status, headers: { 'content-type': 'application/json', location: '/' }, body }
    const own = new PassByMeClient(options({ baseUrl: `${service.url}/frontend`, ca: service.ca }))
    await expect(own.sendMessage(message())).rejects.toMatchObject(expected)
    expect(service.requests).toHaveLength(1)
  })
})

describe('arguments', () => {
  test.each<readonly [string, Partial<Record<keyof PassByMeMessage, unknown>>, string]>([
    ['a bare string for recipients', { recipients: ALICE }, 'recipients'],
    ['no recipient', { recipients: [] }, 'recipients'],
    ['an empty recipient', { recipients: [''] }, 'recipients'],
    ['a recipient that is no text', { recipients: [1] }, 'recipients'],
    ['no availability', { availability: undefined }, 'availability'],
    ['availability 0', { availability: 0 }, 'availability'],
    ['availability as text', { availability: '30' }, 'availability'],
    ['availability as a fraction', { availability: 1.5 }, 'availability'],
    ['availability as a boolean', { availability: true }, 'availability'],
    ['a day and a second', { availability: 86_401 }, 'availability'],
    ['a type in capitals', { type: 'AUTHORIZATION' }, 'type'],
    ['a subject of 255 characters', { subject: 'x'.repeat(255) }, 'subject'],
    ['a body of 4095 characters', { body: 'x'.repeat(4095) }, 'body'],
    ['a callback over http', { callbackUrl: 'http://example.com/' }, 'callbackUrl'],
    ['a callback with a password', { callbackUrl: 'https://a:b@example.com/' }, 'callbackUrl'],
    ['a callback that is relative', { callbackUrl: '/x' }, 'callbackUrl'],
  ])('%s are refused before anything is sent', async (_why, over, field) => {
    const before = sandbox.phone.pushes().length
    await expect(client.sendMessage(message(over as Partial<PassByMeMessage>))).rejects.toMatchObject({
      code: 'ERR_INPUT',
      field,
    })
    expect(sandbox.phone.pushes()).toHaveLength(before)
  })

  it('counts characters, not code units', async () => {
    const info = await client.sendMessage(message({ subject: '🔑'.repeat(254), recipients: [ALICE, ALICE] }))
    expect(info.recipients).toHaveLength(1)
  })
})

describe('a message', () => {
  it('is approved on the phone, which shows the same code', async () => {
    const info = await client.sendMessage(message())
    const push = await sandbox.phone.waitForPush({ recipient: ALICE })
    expect(push.compareCode).toBe(info.secureId)
    expect(info.secureId).toMatch(/^[A-Za-z0-9]{6}$/)
    await sandbox.phone.approve(push.id)
    expect(await info.refresh()).toBe(info)
    expect(info.verdictOf(ALICE)).toBe('approved')
    expect(info.verdictOf('mallory@example.org')).toBe('error')
  })

  it('is cancelled for whoever has not answered', async () => {
    const info = await client.sendMessage(message({ recipients: [ALICE, 'bob@example.org'] }))
    await sandbox.phone.deny({ recipient: ALICE })
    await info.cancel()
    expect(info.recipients.map(({ status }) => status)).toEqual(['DENIED', 'CANCELLED'])
    await expect(info.cancel()).rejects.toMatchObject({ providerCode: 'ALREADY_COMPLETED' })
  })

  test.each([
    ['a denial into an approval', 'deny', 'APPROVED'],
    ['an approval into a denial', 'approve', 'DENIED'],
    ['what was fetched into what was not', 'download', 'NOTIFIED'],
  ])('never turns %s [SC 27]', async (_why, step, later) => {
    const info = await client.sendMessage(message())
    await sandbox.phone.act({ recipient: ALICE }, step)
    await info.refresh()
    sandbox.passbyme.quirks.statusWord = later
    await expect(info.refresh()).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
  })

  test.each([
    ['approve', 'approved'],
    ['deny', 'denied'],
  ])('that was seen on the way is still open, and can be answered with %s [SC 31]', async (step, verdict) => {
    const info = await client.sendMessage(message())
    sandbox.passbyme.quirks.statusWord = 'SEEN'
    await info.refresh()
    expect(info.verdictOf(ALICE)).toBe('pending')
    sandbox.passbyme.quirks.statusWord = undefined
    await expect(info.refresh()).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
    await sandbox.phone.act({ recipient: ALICE }, step)
    await info.refresh()
    expect(info.verdictOf(ALICE)).toBe(verdict)
    sandbox.passbyme.quirks.statusWord = 'SEEN'
    await expect(info.refresh()).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
  })

  it('refuses an answer in which somebody has joined or left', async () => {
    const info = await client.sendMessage(message())
    sandbox.passbyme.quirks.change = (body) => ({ ...body, recipients: [{ userId: 'mallory', status: 'APPROVED' }] })
    await expect(info.refresh()).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
    expect(info.verdictOf(ALICE)).toBe('pending')
  })

  it('is not sent twice when the answer is lost [SC 85]', async () => {
    const before = sandbox.phone.pushes().length
    sandbox.faults.add({ kind: 'reset', when: 'after', provider: 'passbyme', method: 'POST', times: 1 })
    await expect(client.sendMessage(message())).rejects.toMatchObject({
      code: 'ERR_CLIENT_CERTIFICATE',
      reason: 'reset',
      message: expect.stringContaining('outcome of the call is unknown') as string,
    })
    expect(sandbox.phone.pushes()).toHaveLength(before + 1)
  })

  it('of another application can not be seen', async () => {
    const info = await client.sendMessage(message())
    const other = new PassByMeClient(options({ cert: sandbox.passbyme.issue() }))
    await expect(other.trackMessage(info.messageId)).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
    await expect(other.cancelMessage(info.messageId)).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
    other.close()
  })

  it('to somebody who is unknown, disabled or without a phone reaches nobody', async () => {
    const management = new PassByMeManagementClient({
      ...managementOptions(),
    })
    await expect(client.sendMessage(message({ recipients: [ALICE, 'nobody'] }))).rejects.toMatchObject({
      providerCode: 'NOT_FOUND',
    })
    const user = await management.users.create({ userId: 'dora', email: 'dora@example.org' })
    expect((await client.sendMessage(message({ recipients: ['dora'] }))).recipients[0]!.status).toBe('NO_DEVICE')
    const enrollment = await management.enrollments.create(user.oid)
    await sandbox.phone.enrol(enrollment.deviceConfigUrl!)
    await management.users.modify({ ...user, disabled: true })
    expect((await client.sendMessage(message({ recipients: ['dora'] }))).recipients[0]!.status).toBe('DISABLED')
    management.close()
  })
})

function managementOptions() {
  const { managementUrl, organisationPemFile, caFile, passphrase } = sandbox.passbyme
  return { baseUrl: managementUrl, cert: organisationPemFile, passphrase, ca: caFile }
}

describe('what a status means', () => {
  it('is the same in code as in the table of the guide', () => {
    const guide = readFileSync(new URL('../../../docs/passbyme.md', import.meta.url), 'utf8')
    const rows = [...guide.matchAll(/^\| `([A-Z_]+)` +\| ([a-z]+) +\| ([a-z]+) +\| ([a-z]+) +\|/gm)]
    expect(rows.map(([, status]) => status)).toEqual(Object.values(PassByMeStatus))
    for (const [, status = '', authorization, other, expired] of rows) {
      expect([
        status,
        passByMeVerdict(status, 'authorization'),
        passByMeVerdict(status, 'message'),
        passByMeVerdict(status, 'authorization', true),
      ]).toEqual([status, authorization, other, expired])
      expect(passByMeVerdict(status, 'esign')).toBe(other)
    }
  })

  test.each(['approved', 'APPROVED ', 'ACCEPTED', '', '__proto__', 'constructor', 'SEEN_AND_APPROVED'])(
    'the undocumented %j is no success and no end, until it is too late [SC 31]',
    (status) => {
      for (const type of Object.values(PassByMeMessageType)) {
        expect(passByMeVerdict(status, type)).toBe('pending')
        expect(passByMeVerdict(status, type, true)).toBe('expired')
      }
    },
  )
})

describe('the management API', () => {
  let management: PassByMeManagementClient
  beforeAll(() => {
    management = new PassByMeManagementClient(managementOptions())
  })
  afterAll(() => management.close())

  it('keeps users, their aliases, enrollments and phones', async () => {
    const { users, aliases, enrollments } = management
    const before = await users.count()
    const user = await users.create({ userId: 'eve@x/y', email: 'eve@example.org', fullName: 'Eve' })
    expect(await users.count()).toBe(before + 1)
    expect((await users.list()).data.map(({ oid }) => oid)).toContain(user.oid)
    await expect(users.create({ userId: 'eve@x/y', email: 'e@example.org' })).rejects.toMatchObject({
      providerCode: 'ALREADY_EXISTS',
    })
    expect(await users.modify({ ...user, fullName: 'Eva' })).toBe(user.oid)
    expect((await users.get(user.oid)).fullName).toBe('Eva')
    await aliases.add(user.oid, 'evi')
    expect((await aliases.list(user.oid)).map(({ userId }) => userId)).toEqual(['eve@x/y', 'evi'])
    expect((await aliases.find('evi')).oid).toBe((await aliases.find('eve@x/y')).oid)
    await aliases.delete(user.oid, 'evi')
    await expect(aliases.find('evi')).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })

    expect(await users.hasDevice(user.oid)).toBe(false)
    const enrollment = await enrollments.create(user.oid)
    expect((await enrollments.list(user.oid))[0]).toMatchObject({
      enrollmentId: enrollment.enrollmentId,
      state: 'ACTIVE',
    })
    await enrollments.mailSheet(user.oid, enrollment.enrollmentId)
    expect(sandbox.phone.messages({ to: 'eve@example.org' })).toHaveLength(1)
    expect(Buffer.from(await enrollments.sheet(user.oid, enrollment.enrollmentId)).toString('latin1')).toMatch(/^%PDF/)
    await sandbox.phone.enrol(enrollment.deviceConfigUrl!)
    expect(await users.hasDevice(user.oid)).toBe(true)
    await enrollments.delete(user.oid, enrollment.enrollmentId)

    const [device] = await users.devices(user.oid)
    expect((await management.devices.list()).data.length).toBeGreaterThan(3)
    await management.devices.mailDeactivationPassword(device!.vendorId!)
    await management.devices.delete(sandbox.phone.messages({ to: 'eve@example.org' })[0]!.code!)
    expect(await users.devices(user.oid)).toEqual([])
    expect(await users.delete(user.oid)).toBe(user.oid)
    await expect(users.get(user.oid)).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
  })

  it('keeps administrators, invitations, applications and the organisation', async () => {
    const { administrators, applications, organization } = management
    const [admin] = await administrators.list()
    const enrollment = await administrators.enrollments.create(admin!.userId)
    expect(await administrators.enrollments.list(admin!.userId)).toHaveLength(1)
    await administrators.enrollments.mailSheet(admin!.userId, enrollment.enrollmentId)
    await administrators.enrollments.sheet(admin!.userId, enrollment.enrollmentId)
    await administrators.enrollments.delete(admin!.userId, enrollment.enrollmentId)
    expect(await administrators.devices(admin!.userId)).toEqual([])
    expect((await administrators.asUser('admin-user', admin!.userId)).email).toBe(admin!.userId)
    const invitation = await administrators.invite()
    expect(await administrators.invitations()).toContainEqual(invitation)
    const application = await applications.create('Shop')
    expect(await applications.rename(application.id, 'Store')).toBe(application.id)
    expect((await applications.get(application.id)).name).toBe('Store')
    expect((await applications.list()).map(({ id }) => id)).toContain(application.id)
    expect(await applications.delete(application.id)).toBe(application.id)
    const before = await organization.get()
    await organization.modify({ ...before, name: 'New Name' })
    expect((await organization.get()).name).toBe('New Name')
    expect((await organization.limits()).hasManagementAPI).toBe(true)
    const log = await organization.activity({ search: 'user created', length: 2 })
    expect(log.data).toHaveLength(2)
  })

  it("refuses the application's certificate, and the messaging API the organisation's", async () => {
    const wrong = new PassByMeManagementClient({ ...managementOptions(), cert: sandbox.passbyme.pemFile })
    await expect(wrong.users.count()).rejects.toMatchObject({ providerCode: 'FORBIDDEN' })
    const { organisationPemFile } = sandbox.passbyme
    const other = new PassByMeClient(options({ cert: organisationPemFile }))
    await expect(other.sendMessage(message())).rejects.toMatchObject({ providerCode: 'FORBIDDEN' })
    wrong.close()
    other.close()
  })

  test.each(['.', '..', '', 'a\nb'])('refuses the id %j [SC 87]', async (oid) => {
    await expect(management.users.get(oid)).rejects.toMatchObject({ code: 'ERR_INPUT', field: 'oid' })
  })
})

it('shows neither passphrase nor key when it is printed, nor in errors [SC 82, 90]', async () => {
  const { passphrase } = sandbox.passbyme
  const info: SessionInfo = await client.sendMessage(message())
  const error: unknown = await client.trackMessage('unknown').catch((reason: unknown) => reason)
  for (const value of [client, info, error]) {
    const text = inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value) + String(value)
    expect(text).not.toContain(passphrase)
    expect(text).not.toContain('PRIVATE KEY')
  }
})
