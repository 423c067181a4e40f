import { getUserToken, type SendSecureClient } from 'passport-outofband/sendsecure'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
}

async function newBox(): Promise<Draft> {
  return (await api('GET', `safeboxes/new.json?user_email=${userEmail}`)).json as unknown as Draft
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
  const users = `enterprises/${setting.sandbox.sendsecure.enterpriseAccount}/users/4107`
  const { id } = (await api('POST', `${users}/favorites.json?locale=en`, { email: 'f@client.example' })).json
  const changed = await api('PATCH', `${users}/favorites/${String(id)}json?locale=en`, { last_name: 'F' }) // PHP
  expect([changed.status, changed.json['last_name']]).toEqual([200, 'F'])
  expect((await api('DELETE', `${users}/favorites/${String(id)}json?locale=en`)).status).toBe(204)
  expect((await api('GET', `${users}/settingsjson`)).status).toBe(404)
})
