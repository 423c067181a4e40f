import { InvalidOptionError, SendSecureRejectedError, type FetchLike } from 'passport-outofband'
import { SendSecureClient } from 'passport-outofband/sendsecure'
import { expect, test } from 'vitest'

// Answers that the service may give beside those of its reference, on a network of the test's own.

interface Asked {
  readonly url: string
  readonly token: string | undefined
  readonly body?: unknown
}

/** A client of `https://app.acme.example/`, and what it has asked for. */
function clientOf(answers: Readonly<Record<string, unknown>>): { client: SendSecureClient; asked: Asked[] } {
  const asked: Asked[] = []
  const fetch: FetchLike = async (url, { headers, body: json }) => {
    const body = typeof json === 'string' && json !== '' ? { body: JSON.parse(json) as unknown } : {}
    asked.push({ url, token: headers['authorization-token'], ...body })
    const { pathname, origin } = new URL(url)
    const answer = origin === 'https://portal.acme.example' ? 'https://app.acme.example/' : answers[pathname]
    const bytes = Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer ?? {}))
    return {
      status: answer === undefined ? 404 : 200,
      headers: { get: (name) => (name === 'content-type' ? 'application/json' : null) },
      body: (async function* () {
        yield bytes
      })(),
    }
  }
  const options = { enterpriseAccount: 'acme', endpoint: 'https://portal.acme.example', token: 'USER|t', userId: 7 }
  return { client: new SendSecureClient({ ...options, runtime: { fetch } }), asked }
}

test('a refusal with status 200 is a refusal, with its sentence', async () => {
  const { client } = clientOf({
    '/api/v2/safeboxes/g1/close.json': { result: false, message: 'Unable to close the SafeBox.' },
  })
  const failure: unknown = await client.closeSafebox('g1').catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(SendSecureRejectedError)
  expect(failure).toMatchObject({ status: 200, providerMessage: 'Unable to close the SafeBox.' })
})

test.each([
  ['2024-06-01T12:00:00.000Z', '2024-06-01T12:00:00.000Z'],
  ['2024-06-01T12:00:00Z', '2024-06-01T12:00:00.000Z'],
  ['2024-06-01T14:00:00+02:00', '2024-06-01T12:00:00.000Z'],
  ['2024-06-01T12:00:00', '2024-06-01T12:00:00.000Z'],
  ['2024-06-01T12:00:00.123', '2024-06-01T12:00:00.123Z'],
])('the time %s is %s, wherever this runs', async (written, expected) => {
  const { client } = clientOf({ '/api/v2/safeboxes/g1.json': { safebox: { guid: 'g1', expiration: written } } })
  expect((await client.getSafebox('g1')).expiration?.toISOString()).toBe(expected)
})

test('an audit record that is named with http: is asked for with https:, and another host never sees the token', async () => {
  const url = '/api/v2/safeboxes/g1/audit_record_pdf.json'
  const own = clientOf({ [url]: { url: 'http://app.acme.example/s/g1.pdf' }, '/s/g1.pdf': '%PDF-1.4' })
  expect(Buffer.from(await own.client.getAuditRecordPdf('g1')).toString()).toBe('%PDF-1.4')
  expect(own.asked.at(-1)).toEqual({ url: 'https://app.acme.example/s/g1.pdf', token: 'USER|t' })
  for (const other of ['http://elsewhere.example/s/g1.pdf', 'http://app.acme.example:8080/s/g1.pdf']) {
    const { client, asked } = clientOf({ [url]: { url: other } })
    await expect(client.getAuditRecordPdf('g1')).rejects.toMatchObject({ code: 'ERR_PROVIDER_PROTOCOL' })
    expect(asked.map(({ url: to }) => new URL(to).host)).toEqual(['portal.acme.example', 'app.acme.example'])
  }
})

test("a sandbox's token is refused where the endpoint is the vendor's own portal, and nowhere else", () => {
  const token = 'USER|sandbox0-0000-4000-a000-000000000000'
  expect(() => new SendSecureClient({ enterpriseAccount: 'acme', token })).toThrow(InvalidOptionError)
  const endpoint = 'https://portal.xmedius.com/'
  expect(() => new SendSecureClient({ enterpriseAccount: 'acme', token, endpoint })).toThrow(/sandbox/)
  expect(() => new SendSecureClient({ enterpriseAccount: 'acme', token, endpoint: 'http://127.0.0.1:1' })).not.toThrow()
})

// As callers without types write it.
const loosely = (value: unknown): never => value as never

test('null from a caller in JavaScript is the same as nothing', async () => {
  const { client, asked } = clientOf({
    '/api/v2/safeboxes.json': { guid: 'g1', count: 0, safeboxes: [] },
    '/api/v2/safeboxes/g1/participants/7.json': {},
  })
  const participants = [{ email: 'ana@client.example', firstName: null, guestOptions: null }]
  const securityOptions = {
    expirationValue: null,
    expirationUnit: null,
    replyEnabled: true,
    retentionPeriodValue: null,
  }
  const box = { guid: 'g1', userEmail: 'm@acme.example', securityProfileId: 21, message: 'x', subject: null }
  await client.commitSafebox(loosely({ ...box, participants, securityOptions, publicEncryptionKey: null }))
  await client.commitSafebox(loosely({ ...box, participants, securityOptions: null, attachments: null }))
  const recipients = [{ email: 'ana@client.example' }]
  const fields = { guid: 'g1', user_email: 'm@acme.example', message: 'x', security_profile_id: 21, document_ids: [] }
  expect(asked.slice(1).map(({ body }) => body)).toEqual([
    { safebox: { ...fields, notification_language: 'en', recipients, reply_enabled: true } },
    { safebox: { ...fields, notification_language: 'en', recipients } },
  ])
  await client.getSafeboxes(loosely({ status: null, search: null, perPage: null, page: null }))
  expect(new URL(asked.at(-1)?.url ?? '').search).toBe('?locale=en')
  await client.updateParticipant('g1', loosely({ id: 7, lastName: null, email: 'a@b.example' }))
  expect(asked.at(-1)?.body).toEqual({ participant: { email: 'a@b.example' } })
})

test('contact methods to delete that are not among those given are refused: the service would say yes and delete nothing', async () => {
  const { client, asked } = clientOf({})
  const contactMethods = [{ id: 5, destination: '+15145550111', destinationType: 'cell_phone' as const }]
  for (const guestOptions of [undefined, { contactMethods: [] }, { contactMethods }])
    await expect(client.deleteParticipantContactMethods('g1', { id: 'a', guestOptions }, [6])).rejects.toMatchObject({
      code: 'ERR_INPUT',
      field: 'contactMethodIds',
    })
  expect(asked).toEqual([])
})

test.each([undefined, null, ''])('an id that is %j goes into no address', async (id) => {
  const { client, asked } = clientOf({})
  for (const call of [
    () => client.getConsentGroupMessages(loosely(id)),
    () => client.deleteFavorite(loosely(id)),
    () => client.updateParticipant('g1', loosely({ id })),
    () => client.closeSafebox(loosely(id)),
    () => client.markAsReadMessage('g1', loosely(id)),
    () => client.getFileUrl({ guid: 'g1', userEmail: 'm@acme.example' }, loosely(id)),
  ])
    await expect(call()).rejects.toMatchObject({ code: 'ERR_INPUT' })
  expect(asked).toEqual([])
})
