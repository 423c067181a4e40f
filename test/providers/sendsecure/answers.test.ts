import { InvalidOptionError, SendSecureRejectedError, type FetchLike } from 'passport-outofband'
import { SendSecureClient } from 'passport-outofband/sendsecure'
import { expect, test } from 'vitest'

// Answers that the service may give beside those of its reference, on a network of the test's own.

interface Asked {
  readonly url: string
  readonly token: string | undefined
}

/** A client of `https://app.acme.example/`, and what it has asked for. */
function clientOf(answers: Readonly<Record<string, unknown>>): { client: SendSecureClient; asked: Asked[] } {
  const asked: Asked[] = []
  const fetch: FetchLike = async (url, { headers }) => {
    asked.push({ url, token: headers['authorization-token'] })
    const { pathname, origin } = new URL(url)
    const answer = origin === 'https://portal.acme.example' ? 'https://app.acme.example/' : answers[pathname]
    const body = Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer ?? {}))
    return {
      status: answer === undefined ? 404 : 200,
      headers: { get: (name) => (name === 'content-type' ? 'application/json' : null) },
      body: (async function* () {
        yield body
      })(),
    }
  }
  const options = { enterpriseAccount: 'acme', endpoint: 'https://portal.acme.example', token: 'USER|t' }
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
