import { createHash, randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer, request as httpRequest, type ClientRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import { ConfigurationError, InvalidOptionError } from 'passport-outofband'
import { sendAttachments, type SendAttachmentsOptions } from 'passport-outofband/middleware'
import type { CommittedSafeBox, SafeBoxDraft } from 'passport-outofband/sendsecure'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ana, draft, setUp, type Setting } from '../sandbox/sendsecure/support.js'
import { waitFor } from '../support/wait-for.js'

type Options = SendAttachmentsOptions<Omit<SafeBoxDraft, 'attachments'>, CommittedSafeBox>

let setting: Setting
let server: Server
let url: string
let errors: unknown[]

beforeAll(async () => {
  setting = await setUp()
})
afterAll(async () => setting.close())
beforeEach(() => {
  errors = []
})
afterEach(() => {
  setting.sandbox.sendsecure.configure({
    extension_filter: { mode: 'forbid', list: ['bat', 'exe'] },
    max_file_size_value: null,
  })
  setting.sandbox.faults.clear()
  setting.sandbox.sendsecure.quirks.stallUploadsAfter.length = 0
  server.closeAllConnections()
  server.close()
})

const simple = (): Options['draft'] => (_req, form) => draft(setting.userEmail, { subject: form.fields['subject'] })

async function mount(options: Partial<Options> = {}, before: express.RequestHandler[] = []): Promise<void> {
  const app = express()
  app.use(...(before.length > 0 ? before : ([(_req, _res, next) => next()] as express.RequestHandler[])))
  app.post(
    '/documents',
    sendAttachments({ client: setting.client, draft: simple(), settingsMaxAgeSeconds: 0, ...options }),
  )
  const onError: ErrorRequestHandler = (error, _req, res, _next) => {
    errors.push(error)
    res.status(500).send('sorry')
  }
  app.use(onError)
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/documents`
}

async function post(
  files: readonly (readonly [name: string, content: Uint8Array])[],
  subject = 'Papers',
): Promise<Response> {
  const form = new FormData()
  form.set('subject', subject)
  for (const [name, content] of files) form.append('file', new File([Buffer.from(content)], name))
  return fetch(url, { method: 'POST', body: form })
}

interface SlowUpload {
  readonly request: ClientRequest
  readonly interim: number[]
  accepted: number
}

/** Sends a file without end, as fast as it is taken. */
function slowUpload(headers: Readonly<Record<string, string>> = {}): SlowUpload {
  const type = { 'content-type': 'multipart/form-data; boundary=XX' }
  const request = httpRequest(url, { method: 'POST', headers: { ...type, ...headers } })
  const upload: SlowUpload = { request, interim: [], accepted: 0 }
  request.on('error', () => undefined)
  request.on('information', ({ statusCode }) => upload.interim.push(statusCode))
  request.write('--XX\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n')
  const piece = Buffer.alloc(1024 * 1024)
  const push = (): void => {
    request.write(piece, (error) => {
      if (error) return
      upload.accepted += piece.length
      push()
    })
  }
  push()
  return upload
}

/** Until nothing more is taken. Kernel buffers on two hops hold a few megabytes; what is written beyond them waits. */
async function waitForQuiet(upload: SlowUpload): Promise<void> {
  let last = -1
  await waitFor(
    () => {
      const still = upload.accepted === last
      last = upload.accepted
      return still && last > 0
    },
    { intervalMs: 300 },
  )
}

const connections = async (): Promise<number> =>
  new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
const times = { at: expect.any(Number) as number, durationMs: expect.any(Number) as number }
const latest = () => setting.sandbox.sendsecure.safeboxes().at(-1)!
const sent = () => setting.sandbox.sendsecure.safeboxes().length

test('several files go through into one SafeBox, with their names, sizes and digests', async () => {
  await mount()
  const contents = [randomBytes(3_000_000), randomBytes(10), Buffer.alloc(0)]
  const response = await post([
    ['é "x".pdf', contents[0]!],
    ['b.txt', contents[1]!],
    ['empty.csv', contents[2]!],
  ])
  expect(response.status).toBe(201)
  const { guid } = (await response.json()) as { guid: string }
  expect(latest()).toMatchObject({ guid, subject: 'Papers', recipients: [ana.email] })
  expect(latest().documents.map(({ name, sha }) => [name, sha])).toEqual(
    ['é "x".pdf', 'b.txt', 'empty.csv'].map((name, index) => [
      name,
      createHash('sha256').update(contents[index]!).digest('hex'),
    ]),
  )
})

test('a form without files sends its message', async () => {
  await mount()
  expect((await post([])).status).toBe(201)
  expect(latest()).toMatchObject({ documents: [], messages: ['Please find the figures.'] })
})

test('a forbidden extension is refused before the first byte goes out [SC 89]', async () => {
  await mount()
  const [before, drafts] = [sent(), setting.sandbox.sendsecure.drafts]
  const response = await post([['virus.EXE', randomBytes(100)]])
  expect(response.status).toBe(415)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect([sent(), setting.sandbox.sendsecure.drafts]).toEqual([before, drafts])
})

test("the enterprise's maximum size ends the upload while it streams, and so does the application's own [SC 89]", async () => {
  setting.sandbox.sendsecure.configure({ max_file_size_value: 1, max_file_size_unit: 'MB' })
  await mount()
  const before = sent()
  expect((await post([['large.bin', randomBytes(1024 * 1024 + 1)]])).status).toBe(413)
  expect((await post([['fits.bin', randomBytes(1024 * 1024)]])).status).toBe(201)
  server.close()
  await mount({ maxFileBytes: 10 })
  expect((await post([['large.bin', randomBytes(11)]])).status).toBe(413)
  expect(sent()).toBe(before + 1)
})

test('more files than allowed are refused, and nothing of them is sent [SC 89]', async () => {
  await mount({ maxFiles: 2 })
  const before = sent()
  expect(
    (
      await post([
        ['a.txt', randomBytes(9)],
        ['b.txt', randomBytes(9)],
        ['c.txt', randomBytes(9)],
      ])
    ).status,
  ).toBe(413)
  expect(sent()).toBe(before)
})

test('a virus that the service finds is a 422, and nothing is sent', async () => {
  await mount()
  const before = sent()
  const eicar = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
  expect((await post([['test.txt', Buffer.from(eicar)]])).status).toBe(422)
  expect(sent()).toBe(before)
})

test('hostile file names arrive as a safe base name [SC 89]', async () => {
  await mount()
  await post([
    ['../../etc/passwd.txt', randomBytes(1)],
    ['a\r\nX-Injected: 1.txt', randomBytes(1)],
    ['..\\..\\b.txt', randomBytes(1)],
  ])
  expect(latest().documents.map(({ name }) => name)).toEqual(['passwd.txt', 'a\r\nX-Injected: 1.txt', 'b.txt'])
})

test('a browser that goes away aborts the upload, and nothing is sent', async () => {
  const seen: number[] = []
  await mount({ onProgress: ({ sentBytes }) => seen.push(sentBytes) })
  const before = sent()
  const outgoing = httpRequest(url, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=XX', 'content-length': '100000000' },
  })
  outgoing.on('error', () => undefined)
  outgoing.write('--XX\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n')
  outgoing.write(Buffer.alloc(2_000_000))
  await waitFor(() => seen.length > 0)
  outgoing.destroy()
  // The next request goes through, and only that one is there.
  expect((await post([['b.txt', randomBytes(5)]])).status).toBe(201)
  expect(sent()).toBe(before + 1)
  expect(errors).toEqual([])
})

test('a browser that goes away while the service stands still is noticed within seconds, and everything is let go', async () => {
  let closed = false
  await mount({}, [
    (req, _res, next) => {
      req.on('close', () => (closed = true))
      next()
    },
  ])
  setting.sandbox.sendsecure.quirks.stallUploadsAfter.push(100_000, 100_000)
  const before = sent()
  const outgoing = slowUpload()
  await waitForQuiet(outgoing)
  // Megabytes that nobody reads lie between the end of the connection and the server.
  expect(closed).toBe(false)
  outgoing.request.destroy()
  await waitFor(() => closed, { timeoutMs: 10_000 })
  await waitFor(async () => (await connections()) === 0)
  expect(sent()).toBe(before)
  expect(errors).toEqual([])
})

test('a browser is knocked at while the service stands still, but not through a proxy', async () => {
  await mount()
  setting.sandbox.sendsecure.quirks.stallUploadsAfter.push(...Array.from({ length: 6 }, () => 100_000))
  const [direct, ...proxied] = [{}, { 'x-forwarded-for': '192.0.2.1' }, { via: '1.1 proxy' }].map(slowUpload)
  for (const upload of proxied) await waitForQuiet(upload)
  const seen = direct?.interim.length ?? 0
  await waitFor(() => (direct?.interim.length ?? 0) > seen + 1)
  expect(direct?.interim[0]).toBe(102)
  expect(proxied.map(({ interim }) => interim)).toEqual([[], []])
  for (const upload of [direct, ...proxied]) upload?.request.destroy()
})

test('a browser that goes away after its last byte, before the service has taken it, sends nothing', async () => {
  await mount()
  setting.sandbox.faults.add({ kind: 'delay', ms: 1000, provider: 'sendsecure', path: '/xmss/*' })
  const before = sent()
  const body = '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\nall of it\r\n--XX--\r\n'
  const headers = { 'content-type': 'multipart/form-data; boundary=XX', 'content-length': Buffer.byteLength(body) }
  const outgoing = httpRequest(url, { method: 'POST', headers })
  outgoing.on('error', () => undefined)
  outgoing.end(body)
  await waitFor(() => setting.sandbox.faults.list()[0]!.hits > 0)
  outgoing.destroy()
  await waitFor(async () => (await connections()) === 0)
  setting.sandbox.faults.clear()
  expect((await post([['b.txt', randomBytes(5)]])).status).toBe(201)
  expect(sent()).toBe(before + 1)
})

test('a form that breaks off is a 400, and nothing is sent', async () => {
  await mount()
  const before = sent()
  const body = '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\nhalf of'
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'multipart/form-data; boundary=XX' },
  })
  expect(response.status).toBe(400)
  expect(sent()).toBe(before)
})

test('a slow file server slows the browser down instead of filling the memory', async () => {
  await mount()
  // Twice: an upload of another test that broke off may reach the file server only now.
  setting.sandbox.sendsecure.quirks.stallUploadsAfter.push(100_000, 100_000)
  const outgoing = slowUpload()
  await waitForQuiet(outgoing)
  expect(outgoing.accepted).toBeLessThan(64 * 1024 * 1024)
  outgoing.request.destroy()
})

test('what was announced is compared: another file is refused with 422, and the size makes a Content-Length', async () => {
  const content = randomBytes(1000)
  const sha256 = createHash('sha256').update(content).digest('hex')
  await mount({ expected: () => ({ size: 1000, sha256 }) })
  const before = sent()
  expect((await post([['a.bin', content]])).status).toBe(201)
  expect((await post([['a.bin', randomBytes(1000)]])).status).toBe(422)
  expect((await post([['a.bin', randomBytes(999)]])).status).toBe(400)
  expect((await post([['a.bin', randomBytes(1001)]])).status).toBe(400)
  expect(sent()).toBe(before + 1)
})

test('onSent answers itself; what callbacks throw goes to the error handler, and the process lives [SC 94]', async () => {
  await mount({ onSent: (safebox, _req, res) => void res.end(`sent ${safebox.status ?? ''}`) })
  expect(await (await post([['a.txt', randomBytes(1)]])).text()).toBe('sent in_progress')
  server.close()
  const throws = (): never => {
    throw new Error('secret detail')
  }
  for (const options of [{ draft: throws }, { onSent: throws }, { expected: throws }] satisfies Partial<Options>[]) {
    await mount(options)
    const response = await post([['a.txt', randomBytes(1)]])
    expect([response.status, await response.text()]).toEqual([500, 'sorry'])
    server.close()
  }
  await mount({ onProgress: throws })
  expect((await post([['a.txt', randomBytes(1)]])).status).toBe(201)
})

test('it stands behind other middleware that takes its time, and refuses what is read already', async () => {
  await mount({}, [(_req, _res, next) => void setTimeout(next, 20)])
  expect((await post([['a.txt', randomBytes(1)]])).status).toBe(201)
  server.close()
  await mount({}, [express.raw({ type: () => true })])
  expect((await post([['a.txt', randomBytes(1)]])).status).toBe(500)
  expect(errors.at(-1)).toBeInstanceOf(ConfigurationError)
})

test('what is no form is a 415', async () => {
  await mount()
  expect(
    (await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).status,
  ).toBe(415)
})

test('onRefused shows a browser its page, with the status kept; callers get the problem, and its own failure goes to the error handler', async () => {
  const page: Options['onRefused'] = (refusal, _req, res) =>
    void res.end(`<p>${refusal.status} ${String(refusal['reason'])}`)
  const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  const form = (): FormData => {
    const body = new FormData()
    body.append('file', new File(['MZ'], 'setup.exe'))
    return body
  }
  await mount({ onRefused: page })
  const shown = await fetch(url, { method: 'POST', body: form(), headers: html })
  expect([shown.status, await shown.text()]).toEqual([415, '<p>415 extension'])
  const noForm = await fetch(url, { method: 'POST', body: 'x', headers: html })
  expect([noForm.status, await noForm.text()]).toEqual([415, '<p>415 undefined'])
  const told = await fetch(url, { method: 'POST', body: form() })
  expect([told.status, told.headers.get('content-type')]).toEqual([415, 'application/problem+json'])
  server.close()
  await mount({ onRefused: () => Promise.reject(new Error('no template')) })
  const broken = await fetch(url, { method: 'POST', body: form(), headers: html })
  expect([broken.status, await broken.text()]).toEqual([500, 'sorry'])
})

test('every form leaves one record, and every transfer another, without names, addresses or keys, whatever the names are [SC 91, 92]', async () => {
  const [forms, calls, logged]: Record<string, unknown>[][] = [[], [], []]
  const onForm = (event: unknown): void => void forms?.push(event as Record<string, unknown>)
  const onCall = (event: unknown): void => void calls?.push(event as Record<string, unknown>)
  subscribe('passport-outofband:attachments', onForm)
  subscribe('passport-outofband:provider-call', onCall)
  const log = (details: object, message: string): void => void logged?.push({ ...details, message })
  try {
    const logger = { debug: log, info: log, warn: log, error: log }
    await mount({ logger }, [
      (req, _res, next) => {
        Reflect.set(req, 'user', { id: 'mira' })
        next()
      },
    ])
    const evil = 'a\r\n{"result":"sent"}\u2028.txt'
    await post([
      [evil, randomBytes(1000)],
      ['b.txt', randomBytes(24)],
    ])
    await post([['setup.exe', randomBytes(10)]])
    setting.sandbox.sendsecure.expireTokens()
    await post([['c.txt', randomBytes(10)]])
    await waitFor(() => forms?.length === 3)
    const guid = sent() > 0 ? latest().guid : ''
    expect(forms).toEqual([
      { subject: 'mira', result: 'sent', reason: undefined, guid, files: 2, bytes: 1024, ...times },
      { subject: 'mira', result: 'refused', reason: 'extension', guid: undefined, files: 0, bytes: 0, ...times },
      {
        subject: 'mira',
        result: 'failed',
        reason: 'ERR_PROVIDER_REJECTED',
        guid: undefined,
        files: 0,
        bytes: 0,
        ...times,
      },
    ])
    expect(calls?.filter(({ operation }) => operation === 'upload_attachment')).toMatchObject([
      { provider: 'sendsecure', method: 'POST', path: '(upload)', status: 200, tries: 1, error: undefined },
      { status: 200, tries: 1 },
    ])
    expect(logged?.map(({ message }) => message)).toEqual(['upload sent', 'upload refused', 'upload failed'])
    const told = JSON.stringify([forms, calls, logged])
    for (const secret of ['USER|', '/xmss/', evil, 'result\\":', ana.email, '+1514', setting.userEmail])
      expect(told).not.toContain(secret)
    for (const line of [...(forms ?? []), ...(logged ?? [])]) expect(JSON.stringify(line)).not.toMatch(/[\r\n\u2028]/)
  } finally {
    unsubscribe('passport-outofband:attachments', onForm)
    unsubscribe('passport-outofband:provider-call', onCall)
    // The token has gone.
    setting.client.close()
    Object.assign(setting, { client: await setting.connect() })
  }
})

test('a browser that leaves is in the records as one that left [SC 91]', async () => {
  const forms: unknown[] = []
  const onForm = (event: unknown): void => void forms.push(event)
  subscribe('passport-outofband:attachments', onForm)
  await mount()
  setting.sandbox.sendsecure.quirks.stallUploadsAfter.push(100_000, 100_000)
  const outgoing = slowUpload()
  await waitForQuiet(outgoing)
  outgoing.request.destroy()
  await waitFor(() => forms.length > 0, { timeoutMs: 10_000 })
  unsubscribe('passport-outofband:attachments', onForm)
  expect(forms).toMatchObject([
    { subject: undefined, result: 'left', guid: expect.stringMatching(/^[0-9a-f]{32}$/) as string, files: 0 },
  ])
})

test('misspelt options are refused by name', async () => {
  await mount()
  const options = { client: setting.client, draft: simple(), maxFile: 3 }
  expect(() => sendAttachments(options)).toThrow(InvalidOptionError)
})

test('the draft is as much as a SafeBox needs, and the compiler knows it', async () => {
  const handler = sendAttachments({
    client: setting.client,
    draft: (_req, { fields }) => ({
      userEmail: setting.userEmail,
      participants: [ana],
      subject: fields['subject'],
      message: 'x',
    }),
    onSent: (safebox, _req, res) => void res.end(safebox.guid),
  })
  const app = express().post('/documents', handler)
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/documents`
  expect(await (await post([['a.txt', randomBytes(1)]])).text()).toBe(latest().guid)
})
