import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { rootCertificates, type TlsOptions as ServerTls } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { InvalidOptionError } from 'passport-outofband'
import { HttpTransport, type TlsOptions } from '../../../src/providers/http.js'
import { trustedWith } from '../../../src/providers/http-tls.js'
import { testAuthority, type Identity, type TestAuthority } from '../../support/certificates.js'
import { listening } from '../../support/listen.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

let authority: TestAuthority
let server: Identity
let person: Identity
let other: Identity
beforeAll(() => {
  authority = testAuthority()
  server = authority.issue('server')
  person = authority.issue('client')
  other = authority.issue('other')
  return () => authority.close()
})

const call = { operation: 'thing.read', method: 'GET', path: '/' } as const

async function ask(serverTls: ServerTls, tls?: TlsOptions): Promise<string> {
  const https = createServer({ ...server, ...serverTls }, (_req, res) => res.end('hello'))
  const listener = await listening(https, 0, 'https')
  const transport = new HttpTransport({ provider: 'demo', baseUrl: listener.url, ...(tls && { tls }) })
  cleanups.push(
    () => listener.close(),
    () => transport.close(),
  )
  return (await transport.request(call)).text()
}

describe('a certificate', () => {
  test('of an unknown authority is refused, also where the environment switches checks off [SC 81]', async () => {
    await expect(ask({})).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_UNREACHABLE' }))
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    await expect(ask({})).rejects.toEqual(
      expect.objectContaining({ reason: expect.stringMatching(/^(UNABLE_TO_VERIFY|SELF_SIGNED|DEPTH_ZERO)/) }),
    )
  })

  test('of an added authority is accepted [SC 81]', async () => {
    expect(await ask({}, { ca: authority.ca })).toBe('hello')
    expect(await ask({}, { ca: [Buffer.from(authority.ca)] })).toBe('hello')
  })

  test('of a built-in authority is accepted still, when another is added [SC 81]', () => {
    expect(trustedWith('test', authority.ca)).toEqual([...rootCertificates, authority.ca.trim()])
  })

  test('of a known authority for another name is refused [SC 81]', async () => {
    const listener = await listening(
      createServer(server, (_req, res) => res.end('hello')),
      0,
      'https',
    )
    // Also loopback, but not a name of the certificate.
    const transport = new HttpTransport({
      provider: 'demo',
      baseUrl: listener.url.replace('127.0.0.1', '127.0.0.2'),
      tls: { ca: authority.ca },
    })
    cleanups.push(
      () => listener.close(),
      () => transport.close(),
    )
    await expect(transport.request(call)).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_UNREACHABLE' }))
  })

  test('can be checked against nothing less: there is no switch for it in the sources [SC 81]', () => {
    const src = join(import.meta.dirname, '../../../src')
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    const switches = files.filter((name) =>
      /rejectUnauthorized:(?!\s*true,)|checkServerIdentity|SSL_OP_|insecure[A-Z_]/.test(
        readFileSync(join(src, name), 'utf8'),
      ),
    )
    // The stand-ins ask for client certificates and look at them themselves.
    expect(switches.filter((name) => !name.startsWith('sandbox'))).toEqual([])
    expect(
      () =>
        new HttpTransport({
          provider: 'demo',
          baseUrl: 'https://a.example',
          tls: { rejectUnauthorized: false } as TlsOptions,
        }),
    ).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option: 'tls.rejectUnauthorized' }))
  })
})

test('TLS older than 1.2 is refused [SC 81]', async () => {
  const old: ServerTls = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
  await expect(ask(old, { ca: authority.ca })).rejects.toEqual(
    expect.objectContaining({ code: 'ERR_PROVIDER_UNREACHABLE' }),
  )
  expect(await ask({ maxVersion: 'TLSv1.2' }, { ca: authority.ca })).toBe('hello')
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a client certificate is shown over %s', async (maxVersion) => {
  const demanding: ServerTls = { requestCert: true, rejectUnauthorized: true, ca: authority.ca, maxVersion }
  expect(await ask(demanding, { ca: authority.ca, ...person })).toBe('hello')
  await expect(ask(demanding, { ca: authority.ca })).rejects.toEqual(
    expect.objectContaining({ code: 'ERR_PROVIDER_UNREACHABLE' }),
  )
})

describe('key material that can not work stops the program where the transport is made', () => {
  const make = (tls: TlsOptions) => () => new HttpTransport({ provider: 'demo', baseUrl: 'https://a.example', tls })

  test.each([
    ['a key of another certificate', () => ({ cert: person.cert, key: other.key }), 'tls.key'],
    ['a certificate without its key', () => ({ cert: person.cert }), 'tls.key'],
    ['a key without its certificate', () => ({ key: person.key }), 'tls.cert'],
    ['an authority that is no certificate', () => ({ ca: 'hello' }), 'tls.ca'],
    [
      'an authority that is a broken certificate',
      () => ({ ca: authority.ca.replace(/\n.{64}\n/, '\nAAAA\n') }),
      'tls.ca',
    ],
    ['bytes that are no PKCS#12', () => ({ pfx: Buffer.from('hello'), passphrase: 'x' }), 'tls.pfx'],
    ['two kinds at once', () => ({ ...person, pfx: Buffer.from('hello') }), 'tls.pfx'],
  ] as const)('%s', (_what, tls, option) => {
    expect(make(tls())).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option }))
  })

  test('a wrong pass phrase, or none, is named as what it is', () => {
    const pfx = authority.pkcs12(person, 'open sesame')
    expect(make({ pfx, passphrase: 'open sesame' })).not.toThrow()
    for (const passphrase of ['open barley', undefined])
      expect(make({ pfx, passphrase })).toThrow(expect.objectContaining({ option: 'tls.passphrase' }))
  })

  test('and no message shows it', () => {
    try {
      make({ cert: person.cert, key: other.key, passphrase: 'open sesame' })()
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidOptionError)
      expect(String((error as Error).stack)).not.toMatch(/sesame|PRIVATE|BEGIN/)
    }
  })
})

test('a fetch of ones own together with TLS options is an error, not a call without the certificate', () => {
  const runtime = { fetch: () => Promise.reject(new Error('never called')) }
  const baseUrl = 'https://a.example'
  expect(() => new HttpTransport({ provider: 'demo', baseUrl, runtime, tls: person })).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', option: 'tls' }),
  )
  expect(() => new HttpTransport({ provider: 'demo', baseUrl, runtime, connectTimeoutMs: 5 })).toThrow(
    expect.objectContaining({ option: 'connectTimeoutMs' }),
  )
})
