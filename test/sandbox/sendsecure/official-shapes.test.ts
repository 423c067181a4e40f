import { connect } from 'node:net'
import { getUserToken, type SendSecureClient } from 'passport-outofband/sendsecure'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawAnswer, rawRequest } from '../raw-client.js'
import { device, draft, setUp, type Setting } from './support.js'

// What the official Python, Ruby, PHP and C# clients send otherwise than the documentation says, as it is on the wire.
// Each of these made the stand-in refuse a client that it has to serve unmodified.
let setting: Setting
let client: SendSecureClient
let userEmail: string
let api: (method: string, path: string, body?: object) => Promise<RawAnswer>

beforeAll(async () => {
  setting = await setUp()
  ;({ client, userEmail } = setting)
  const { url: endpoint, enterpriseAccount, username, password } = setting.sandbox.sendsecure
  const { token } = await getUserToken({ endpoint, enterpriseAccount, username, password, ...device })
  const { text: base } = await rawRequest(endpoint, 'GET', `/services/${enterpriseAccount}/sendsecure/server/url`)
  const headers = { 'authorization-token': token, 'content-type': 'application/json' }
  api = (method, path, body) =>
    rawRequest(base, method, `/api/v2/${path}`, headers, body === undefined ? undefined : JSON.stringify(body))
})
afterAll(async () => setting.close())

interface Draft {
  readonly guid: string
  readonly public_encryption_key: string
  readonly upload_url: string
}

async function newBox(): Promise<Draft> {
  return (await api('GET', `safeboxes/new.json?user_email=${userEmail}`)).json as unknown as Draft
}

const guidOf = (document: Readonly<Record<string, unknown>>): string =>
  (document['temporary_document'] as { readonly document_guid: string } | undefined)?.document_guid ?? ''

async function upload(address: string, body: Buffer): Promise<RawAnswer> {
  const { origin, pathname } = new URL(address)
  return rawRequest(origin, 'POST', pathname, { 'content-type': 'multipart/form-data; boundary=B0' }, body)
}

/** A box with these documents, committed as PHP does: nothing around the fields. */
async function commitBare(box: Draft, documents: readonly string[]): Promise<RawAnswer> {
  return api('POST', 'safeboxes.json', {
    guid: box.guid,
    public_encryption_key: box.public_encryption_key,
    user_email: userEmail,
    notification_language: 'en',
    security_profile_id: 21,
    message: 'x',
    document_ids: documents,
    recipients: [{ email: 'ana.reyes@client.example', contact_methods: [] }],
  })
}

describe('the name of an uploaded file', () => {
  // Python's head has no more fields; Ruby's has a length and an encoding of its own; PHP writes a field before the file.
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'with raw quotation marks (Python)',
      'name="file"; filename="a "q" é".txt"\r\nContent-Type: text/plain',
      'a "q" é".txt',
    ],
    [
      'with a raw quotation mark (Ruby)',
      'name="file"; filename="q"uote.pdf"\r\nContent-Length: 5\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: binary',
      'q"uote.pdf',
    ],
    ['with an escaped one (curl)', 'name="file"; filename="a\\"b.txt"\r\nContent-Type: text/plain', 'a"b.txt'],
    ["with a form's escape (browsers)", 'name="file"; filename="a%22b.txt"\r\nContent-Type: text/plain', 'a"b.txt'],
    ['before the field', 'filename="plain.txt"; name="file"\r\nContent-Type: text/plain', 'plain.txt'],
    [
      'after another field (PHP)',
      'name="type"\r\n\r\ntext/plain\r\n--B0\r\nContent-Disposition: form-data; name="file_contents"; filename="p.txt"\r\nContent-Type: text/plain',
      'p.txt',
    ],
  ]
  test.each(cases)('%s arrives, and so does the file', async (_why, head, name) => {
    const box = await newBox()
    const form = Buffer.from(`--B0\r\nContent-Disposition: form-data; ${head}\r\n\r\nhe"l\r\n\r\nlo\r\n--B0--\r\n`)
    const uploaded = await upload(box.upload_url, form)
    expect(uploaded.status).toBe(200)
    expect((await commitBare(box, [guidOf(uploaded.json)])).status).toBe(200)
    const [message] = await client.getSafeboxMessages({ guid: box.guid })
    expect(message!.documents[0]).toMatchObject({ name, size: 10 })
  })

  test.each([
    ['nothing', ''],
    ['a head that never ends', `--B0\r\nContent-Disposition: form-data; name="file"; filename="x${'y'.repeat(40_000)}`],
    ['no file', '--B0\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--B0--\r\n'],
  ])('of a form with %s is not looked for for ever', async (_why, form) => {
    const answer = await upload((await newBox()).upload_url, Buffer.from(form))
    expect([answer.status, answer.json]).toEqual([400, { message: 'There is no file in the request.' }])
  })
})

/** Sends these pieces over one connection, each in a packet of its own, and gives the answer as it came. */
async function send(address: string, head: readonly string[], pieces: readonly Buffer[]): Promise<string> {
  const { hostname, port, pathname } = new URL(address)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  const answer = new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()))
  })
  const lines = [`POST ${pathname} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Connection: close', ...head]
  for (const piece of [`${lines.join('\r\n')}\r\n\r\n`, ...pieces])
    await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)))
  return answer
}

test('a name arrives whole when its head comes byte by byte', async () => {
  const box = await newBox()
  const form = Buffer.from(
    '--B0\r\nContent-Disposition: form-data; name="file"; filename="a"b.txt"\r\n\r\nhello\r\n--B0--\r\n',
  )
  const type = ['Content-Type: multipart/form-data; boundary=B0', `Content-Length: ${form.length}`]
  const answer = await send(
    box.upload_url,
    type,
    [...form].map((byte) => Buffer.from([byte])),
  )
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  await commitBare(box, [/"document_guid":"(\w+)"/.exec(answer)?.[1] ?? ''])
  const [message] = await client.getSafeboxMessages({ guid: box.guid })
  expect(message!.documents[0]).toMatchObject({ name: 'a"b.txt', size: 5 })
})

test("a stream with both a length and chunks arrives, as libcurl sends PHP's and old Python's", async () => {
  const box = await newBox()
  const head = ['Transfer-Encoding: chunked', 'Content-Type: text/plain;', 'Content-Length: 12']
  const disposition = 'Content-Disposition: attachment; filename="s.txt"'
  const answer = await send(box.upload_url, [...head, disposition], [Buffer.from('c\r\nhello stream\r\n0\r\n\r\n')])
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  const id = /"document_guid":"(\w+)"/.exec(answer)?.[1] ?? ''
  expect((await commitBare(box, [id])).status).toBe(200)
  const [message] = await client.getSafeboxMessages({ guid: box.guid })
  expect(message!.documents[0]).toMatchObject({ name: 's.txt', size: 12 })
})

test('the audit record is handed to the Ruby and PHP clients, which send no token for it', async () => {
  const box = await client.submitSafebox(draft(userEmail))
  await client.closeSafebox(box)
  const { origin, pathname } = new URL(await client.getAuditRecordUrl(box))
  const record = await rawRequest(origin, 'GET', pathname)
  expect([record.status, record.type, record.text.slice(0, 5)]).toEqual([200, 'application/pdf', '%PDF-'])
  expect(Buffer.from(await client.getAuditRecordPdf(box)).toString('latin1', 0, 5)).toBe('%PDF-')
})

test("bodies may come without the name around them, as PHP's do", async () => {
  const box = await newBox()
  const committed = await commitBare(box, [])
  expect([committed.status, committed.json['status']]).toEqual([200, 'in_progress'])
  const created = await api('POST', `safeboxes/${box.guid}/participants.json`, { email: 'li.wei@client.example' })
  expect([created.status, created.json['email']]).toEqual([200, 'li.wei@client.example'])
  const path = `safeboxes/${box.guid}/participants/${String(created.json['id'])}.json`
  expect((await api('PATCH', path, { last_name: 'Wei' })).json['last_name']).toBe('Wei')
  expect((await api('POST', `safeboxes/${box.guid}/messages.json`, { message: 're', document_ids: [] })).status).toBe(
    200,
  )
  const longer = await api('PATCH', `safeboxes/${box.guid}/add_time.json`, { add_time_value: 1, add_time_unit: 'days' })
  expect([longer.status, longer.json['result']]).toEqual([200, true])
  // A name that is there but holds no object is still a mistake.
  expect(
    (await api('POST', `safeboxes/${box.guid}/participants.json`, { participant: 'x', email: 'a@b.example' })).status,
  ).toBe(400)
})

test('a suffix without its dot, a slash at the end and a query begun with & are taken as they are meant', async () => {
  const box = await client.submitSafebox(draft(userEmail))
  const info = await api('GET', `safeboxes/${box.guid}/?locale=en`) // PHP
  expect((info.json['safebox'] as { readonly guid: string } | undefined)?.guid).toBe(box.guid)
  expect((await api('GET', 'safeboxes.json&locale=en')).json['count']).toBeGreaterThan(0) // C#
  expect((await api('GET', `safeboxes/${box.guid}.json&locale=en`)).status).toBe(200)
  const paged = await api('GET', 'safeboxes?status=in_progress&per_page=5?locale=en') // PHP
  expect([paged.status, Array.isArray(paged.json['safeboxes'])]).toEqual([200, true])
  for (const wrong of ['0', '1001', 'x5', '-1', '99999999999'])
    expect((await api('GET', `safeboxes?per_page=${wrong}`)).json).toEqual({
      error: `Invalid per_page parameter value (${wrong})`,
    })
  const users = `enterprises/${setting.sandbox.sendsecure.enterpriseAccount}/users/4107`
  const { id } = (await api('POST', `${users}/favorites.json?locale=en`, { email: 'f@client.example' })).json
  const changed = await api('PATCH', `${users}/favorites/${String(id)}json?locale=en`, { last_name: 'F' }) // PHP
  expect([changed.status, changed.json['last_name']]).toEqual([200, 'F'])
  expect((await api('DELETE', `${users}/favorites/${String(id)}json?locale=en`)).status).toBe(204)
  expect((await api('GET', `${users}/settingsjson`)).status).toBe(404)
})
