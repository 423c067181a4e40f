import { createHash, randomBytes } from 'node:crypto'
import express from 'express'
import { createApprovals, type Approvals } from 'passport-outofband'
import { approvalOf, requireApproval, sendAttachments } from 'passport-outofband/middleware'
import { MemoryStateStore } from 'passport-outofband/stores'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { draft, setUp, type Setting } from '../sandbox/sendsecure/support.js'
import { listen, type Listening } from '../support/listen.js'
import { phoneChannel, type PhoneChannel } from '../support/phone-channel.js'

// A file is approved by name, size and digest before it comes; what comes must be that file.

let setting: Setting
let server: Listening
let phone: PhoneChannel
let approvals: Approvals

beforeAll(async () => {
  setting = await setUp()
})
afterEach(async () => server.close())
afterAll(async () => setting.close())

/** @param bind - what is approved, of the query: the body has not come yet. */
async function mount(
  bind: (query: Readonly<Record<string, string>>) => Record<string, string | number>,
): Promise<void> {
  const state = new MemoryStateStore()
  phone = phoneChannel()
  approvals = createApprovals({ state, channels: [phone] })
  const app = express()
  app.use((req, _res, next) => {
    Reflect.set(req, 'user', { id: 'mira' })
    next()
  })
  app.post(
    '/documents',
    requireApproval({
      approvals,
      state,
      channel: 'authy',
      purpose: 'document',
      bind: (req: express.Request) => bind(req.query as Record<string, string>),
      message: ({ filename }) => `Send ${typeof filename === 'string' ? filename : 'a file'}?`,
      reference: () => 'phone of mira',
      waitingPath: '/approvals/:id',
      caller: () => 'jti-1',
    }),
    sendAttachments({
      client: setting.client,
      draft: (req) => draft(setting.userEmail, { subject: approvalOf(req).id }),
    }),
  )
  server = await listen(app)
}

const sent = () => setting.sandbox.sendsecure.safeboxes()
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
const whole = ({ filename = '', size = '', sha256: digest = '' }: Readonly<Record<string, string>>) => ({
  filename,
  size: Number(size),
  sha256: digest,
})

/** Asks, has the phone approve, and sends. */
async function send(
  approved: { readonly filename: string; readonly content: Uint8Array; readonly digest?: string },
  files: readonly (readonly [name: string, content: Uint8Array])[],
): Promise<number> {
  const { filename, content, digest = sha256(content) } = approved
  const query = new URLSearchParams({ filename, size: String(content.length), sha256: digest })
  const url = `${server.url}/documents?${query.toString()}`
  const asked = await fetch(url, { method: 'POST' })
  expect(asked.status).toBe(202)
  const { approval_token: token } = (await asked.json()) as { approval_token: string }
  const reference = phone.asked.at(-1) ?? ''
  await approvals.settle({ channel: 'authy', reference, recipientReference: 'phone of mira', status: 'approved' })
  const body = new FormData()
  for (const [name, bytes] of files) body.append('file', new File([Buffer.from(bytes)], name))
  const response = await fetch(url, { method: 'POST', body, headers: { 'approval-token': token } })
  await response.text()
  return response.status
}

test('the file that was approved is sent, and no other one: what differs is refused before the commit', async () => {
  await mount(whole)
  const content = randomBytes(300_000)
  const approved = { filename: 'report.pdf', content }
  const before = sent().length
  const changed = Buffer.from(content)
  changed[150_000]! ^= 1
  expect(await send(approved, [['report.pdf', changed]])).toBe(422)
  expect(await send(approved, [['other.pdf', content]])).toBe(422)
  expect(await send(approved, [['report.pdf', content.subarray(1)]])).toBe(400)
  expect(await send(approved, [])).toBe(422)
  expect(
    await send(approved, [
      ['report.pdf', content],
      ['report.pdf', changed],
    ]),
  ).toBe(422)
  expect(sent()).toHaveLength(before)
  expect(await send(approved, [['report.pdf', content]])).toBe(201)
  expect(sent()).toHaveLength(before + 1)
  expect(sent().at(-1)?.documents).toMatchObject([{ name: 'report.pdf', sha: sha256(content) }])
})

test('an approval that names a digest which is none lets no file through', async () => {
  await mount(whole)
  const content = randomBytes(10)
  const before = sent().length
  for (const digest of ['', 'x', sha256(content).slice(1), `${sha256(content)}0`])
    expect(await send({ filename: 'a.txt', content, digest }, [['a.txt', content]])).toBe(422)
  expect(sent()).toHaveLength(before)
})

test('an approval of something else than a file leaves the file to the application', async () => {
  await mount(({ filename = '' }) => ({ filename }))
  expect(await send({ filename: 'a.txt', content: Buffer.of(1) }, [['b.txt', Buffer.of(2)]])).toBe(201)
})
