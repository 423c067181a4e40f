import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest'
import { PassByMeClient, PassByMeManagementClient, type PassByMeClientOptions } from 'passport-outofband/passbyme'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { pemFile, SandboxAuthority } from '../../../src/sandbox/passbyme/certificates.js'
import { makeTemporaryFolder, removeFolder } from '../../support/temporary.js'

const DAY = 86_400_000
let sandbox: Sandbox
let pem: string
let directory: string

beforeAll(async () => {
  sandbox = await startSandbox()
  pem = readFileSync(sandbox.passbyme.pemFile, 'utf8')
  directory = makeTemporaryFolder()
})
afterAll(async () => {
  removeFolder(directory)
  await sandbox.close()
})

function make(over: Partial<PassByMeClientOptions> = {}): PassByMeClient {
  const { url, pemFile: cert, caFile, passphrase } = sandbox.passbyme
  return new PassByMeClient({ baseUrl: url, cert, passphrase, ca: caFile, ...over })
}

async function works(client: PassByMeClient): Promise<void> {
  // An unknown message is an answer of the service: the certificates were good on both sides.
  await expect(client.trackMessage('unknown')).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
  client.close()
}

function reasonOf(error: unknown): unknown {
  return expect.objectContaining({ code: 'ERR_CLIENT_CERTIFICATE', reason: error })
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

function keyOf(text: string): string {
  return /-----BEGIN ENCRYPTED[\s\S]+KEY-----/.exec(text)![0]
}

function openssl(args: readonly string[]): Buffer {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })
}

describe('key material', () => {
  it('comes from one PEM file, as path, text or bytes', async () => {
    await works(make())
    await works(make({ cert: pem }))
    await works(make({ cert: Buffer.from(pem) }))
    await works(make({ cert: undefined, key: pem }))
  })

  it('comes from two files or texts', async () => {
    const key = file('key.pem', keyOf(pem))
    const cert = file('cert.pem', pem.replace(keyOf(pem), ''))
    await works(make({ cert, key }))
    await works(make({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key) }))
  })

  test.each(['\n', '\r\n'])('comes with the Bag Attributes that openssl writes, lines ending in %j', async (end) => {
    const { passphrase } = sandbox.passbyme
    const pass = ['-passin', `pass:${passphrase}`, '-passout', `pass:${passphrase}`]
    const p12 = openssl(['pkcs12', '-export', '-name', 'Demo -----BEGIN', '-in', file('app.pem', pem), ...pass])
    const bags = openssl(['pkcs12', '-in', file('app.p12', p12), ...pass]).toString()
    expect(bags).toContain('Bag Attributes')
    await works(make({ cert: file('bags.pem', bags.replaceAll('\n', end)) }))
  })

  it('comes as PKCS#12, as path or bytes', async () => {
    const { passphrase } = sandbox.passbyme
    const p12 = join(directory, 'app.p12')
    const pass = ['-passin', `pass:${passphrase}`, '-passout', `pass:${passphrase}`]
    openssl(['pkcs12', '-export', '-in', file('app.pem', pem), '-out', p12, ...pass])
    await works(make({ cert: undefined, pfx: p12 }))
    await works(make({ cert: undefined, pfx: readFileSync(p12) }))
    expect(() => make({ cert: undefined, pfx: p12, passphrase: 'wrong' })).toThrow(reasonOf('passphrase'))
    expect(make({ cert: undefined, pfx: p12 }).certificate).toBeUndefined()
  })

  it('of an old cipher names the cure', () => {
    const { passphrase } = sandbox.passbyme
    const p12 = join(directory, 'old.p12')
    const pass = ['-passin', `pass:${passphrase}`, '-passout', `pass:${passphrase}`]
    openssl(['pkcs12', '-export', '-legacy', '-in', file('app.pem', pem), '-out', p12, ...pass])
    expect(() => make({ cert: undefined, pfx: p12 })).toThrow(reasonOf('legacy-pkcs12'))
    expect(() => make({ cert: undefined, pfx: p12 })).toThrow(/openssl pkcs12/)
  })

  test.each<readonly [string, () => Partial<PassByMeClientOptions>, string]>([
    ['a wrong passphrase', () => ({ passphrase: 'wrong' }), 'passphrase'],
    ['no passphrase', () => ({ passphrase: undefined }), 'passphrase'],
    ['an empty passphrase', () => ({ passphrase: '' }), 'passphrase'],
    ['the key of another certificate', () => ({ cert: sandbox.passbyme.issue(), key: pem }), 'mismatch'],
    ['a file that is not there', () => ({ cert: join(directory, 'nothing.pem') }), 'missing'],
    ['an empty file', () => ({ cert: file('empty.pem', '') }), 'missing'],
    ['a certificate without a key', () => ({ cert: pem.replace(keyOf(pem), '') }), 'missing'],
    ['a key without a certificate', () => ({ cert: keyOf(pem) }), 'missing'],
    ['a broken certificate', () => ({ cert: pem.replace(/MII.{40}/, 'AAAA') }), 'unreadable'],
    ['a broken PKCS#12', () => ({ cert: undefined, pfx: Buffer.from('nonsense') }), 'unreadable'],
    [
      'a certificate that ended yesterday',
      () => ({ cert: sandbox.passbyme.issue({ notAfter: new Date(Date.now() - DAY / 2) }) }),
      'expired',
    ],
    [
      'a certificate that begins tomorrow',
      () => ({ cert: sandbox.passbyme.issue({ notBefore: new Date(Date.now() + DAY) }) }),
      'not-yet-valid',
    ],
    ['an authority that is none', () => ({ ca: file('ca.txt', 'nothing') }), 'missing'],
  ])('with %s is refused before there is any traffic, with a reason [SC 82]', (_why, over, reason) => {
    expect(() => make(over())).toThrow(reasonOf(reason))
  })

  it('is told apart from a mistake in the options', () => {
    expect(() => make({ cert: undefined })).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option: 'cert' }))
    expect(() => make({ pfx: Buffer.from('x') })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', option: 'pfx' }),
    )
    expect(() => make({ runtime: { fetch: () => Promise.reject(new Error('x')) } })).toThrow(
      /can't be given the client/,
    )
    const misspelt: object = { certt: 'x' }
    expect(() => make(misspelt)).toThrow(/did you mean 'cert'/)
  })
})

describe('a certificate that is not accepted', () => {
  it('of a foreign authority is refused, or the connection is reset; the error says what is known [SC 82]', async () => {
    const foreign = new SandboxAuthority('foreign', Date.now()).issue({ subject: { commonName: 'x' }, use: 'client' })
    const client = make({ cert: pemFile(foreign, 'pass'), passphrase: 'pass' })
    const error = await client.trackMessage('x').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_CLIENT_CERTIFICATE' })
    expect(['refused', 'reset']).toContain(Reflect.get(error as object, 'reason'))
  })

  it('of TLS 1.2 is refused as well', async () => {
    const authority = new SandboxAuthority('server', Date.now())
    const own = authority.issue({ subject: { commonName: 'x' }, use: 'server', hosts: ['127.0.0.1'] })
    const server = createServer({
      key: own.key.export({ type: 'pkcs8', format: 'pem' }),
      cert: own.certificate,
      ca: new SandboxAuthority('clients', Date.now()).certificate,
      requestCert: true,
      rejectUnauthorized: true,
      maxVersion: 'TLSv1.2',
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const client = make({ baseUrl: `https://127.0.0.1:${port}/frontend`, ca: authority.certificate })
    await expect(client.trackMessage('x')).rejects.toMatchObject({ code: 'ERR_CLIENT_CERTIFICATE' })
    await new Promise((resolve) => server.close(resolve))
  })

  it('that was revoked is the service’s own error', async () => {
    const own = await startSandbox()
    const { url, pemFile: cert, caFile, passphrase } = own.passbyme
    const client = new PassByMeClient({ baseUrl: url, cert, passphrase, ca: caFile })
    own.passbyme.revoke()
    await expect(client.trackMessage('x')).rejects.toMatchObject({ providerCode: 'CERTIFICATE_REVOKED' })
    await own.close()
  })

  it('that ends while the process runs is refused from then on, without traffic [SC 82]', async () => {
    let now = Date.now()
    const client = make({
      cert: sandbox.passbyme.issue({ notAfter: new Date(now + DAY) }),
      runtime: { now: () => now },
    })
    await expect(client.trackMessage('x')).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
    now += 2 * DAY
    await expect(client.trackMessage('x')).rejects.toMatchObject({ code: 'ERR_CLIENT_CERTIFICATE', reason: 'expired' })
  })
})

describe('a server that is not to be trusted [SC 81]', () => {
  it('has an unknown authority', async () => {
    await expect(make({ ca: undefined }).trackMessage('x')).rejects.toMatchObject({
      code: 'ERR_SERVER_CERTIFICATE',
      reason: 'unknown-authority',
    })
  })

  it.each([
    ['another host name', { hosts: ['example.org'] }, 'host-name'],
    ['a certificate that ended', { hosts: ['127.0.0.1'], notAfter: new Date(Date.now() - DAY / 2) }, 'expired'],
  ] as const)('has %s', async (_why, request, reason) => {
    const authority = new SandboxAuthority('server', Date.now())
    const own = authority.issue({ subject: { commonName: 'x' }, use: 'server', ...request })
    const server = createServer({ key: own.key.export({ type: 'pkcs8', format: 'pem' }), cert: own.certificate })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const client = make({ baseUrl: `https://127.0.0.1:${port}/frontend`, ca: authority.certificate })
    await expect(client.trackMessage('x')).rejects.toMatchObject({ code: 'ERR_SERVER_CERTIFICATE', reason })
    await new Promise((resolve) => server.close(resolve))
  })

  it('has no switch that would let it in, and plain http is refused', () => {
    const switches = ['rejectUnauthorized', 'insecure', 'checkServerIdentity']
    for (const name of switches) {
      const over: object = { [name]: false }
      expect(() => make(over)).toThrow(expect.objectContaining({ option: name }))
    }
    expect(() => make({ baseUrl: 'http://auth-sp.passbyme.com/frontend' })).toThrow(
      expect.objectContaining({ option: 'baseUrl' }),
    )
  })
})

describe('a renewed certificate', () => {
  it('is taken up without a restart, and a half-written one is waited for [SC 82]', async () => {
    let now = Date.now()
    const path = file('renewed.pem', pem)
    const warn = vi.fn()
    const logger = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() }
    const client = make({ cert: path, runtime: { now: () => now }, logger })
    await expect(client.trackMessage('x')).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
    const before = client.certificate!.fingerprint256
    const renewed = sandbox.passbyme.issue()

    writeFileSync(path, renewed.slice(0, 300))
    now += 2000
    await expect(client.trackMessage('x')).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
    expect(client.certificate!.fingerprint256).toBe(before)
    expect(warn).toHaveBeenCalledWith(expect.anything(), expect.stringMatching(/can not be used yet/))

    renameSync(file('next.pem', renewed), path)
    now += 2000
    await expect(client.trackMessage('x')).rejects.toMatchObject({ providerCode: 'NOT_FOUND' })
    expect(client.certificate!.fingerprint256).not.toBe(before)
    expect(JSON.stringify([...warn.mock.calls, ...logger.info.mock.calls])).not.toMatch(/PRIVATE KEY/)
    client.close()
  })

  it('is asked for before the old one ends, once a day [SC 82]', async () => {
    let now = Date.now()
    const warn = vi.fn()
    const onCertificateExpiring = vi.fn()
    const logger = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() }
    const cert = sandbox.passbyme.issue({ notAfter: new Date(now + 40.5 * DAY) })
    const client = make({ cert, logger, onCertificateExpiring, runtime: { now: () => now } })
    await client.trackMessage('x').catch(() => undefined)
    expect(onCertificateExpiring).toHaveBeenCalledTimes(0)
    now += 15 * DAY
    await client.trackMessage('x').catch(() => undefined)
    await client.trackMessage('x').catch(() => undefined)
    expect(onCertificateExpiring).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ daysLeft: 25 }), expect.stringMatching(/ends soon/))
    now += DAY
    await client.trackMessage('x').catch(() => undefined)
    expect(onCertificateExpiring).toHaveBeenCalledTimes(2)
    client.close()
  })

  it('of RSA works as well, in the management client too', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
    const path = file('rsa.key', String(key))
    const cert = join(directory, 'rsa.crt')
    openssl(['req', '-x509', '-new', '-key', path, '-subj', '/CN=x', '-days', '5', '-out', cert])
    expect(new PassByMeManagementClient({ key: path, cert }).certificate?.subject).toBe('CN=x')
    expect(make({ key: path, cert, passphrase: undefined }).certificate?.subject).toBe('CN=x')
  })
})
