import {
  createHash,
  generateKeyPair,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import { bits, integer, octets, oid, sequence, set, tagged, text, time, TRUE } from './der.js'

/*
 * Certificates of a sandbox. Written out here rather than with a library: those at hand either patch the global Reflect
 * object, which nobody expects of a sandbox in their own test process, or need a program beside Node.
 */

const SIGNED_WITH = sequence(oid('1.2.840.10045.4.3.2'))
const DAY_MS = 86_400_000
const nameOids = { organization: '2.5.4.10', commonName: '2.5.4.3', serialNumber: '2.5.4.5' } as const

/** Who a certificate is for. */
export type CertificateName = Partial<Record<keyof typeof nameOids, string>>

export interface CertificateRequest {
  readonly subject: CertificateName
  /** What the key is for. */
  readonly use: 'server' | 'client'
  /** Host names and addresses of a server. */
  readonly hosts?: readonly string[]
  /** Default: since yesterday. */
  readonly notBefore?: Date
  /** Default: for a year. */
  readonly notAfter?: Date
}

/** A certificate with its key, as PEM. */
export interface IssuedCertificate {
  readonly certificate: string
  readonly key: KeyObject
  /** SHA-256 of the DER, as Node writes it. */
  readonly fingerprint256: string
}

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

// RSA, as the provider's own: its Ruby client's manual loads the key with `OpenSSL::PKey::RSA.new`, which takes no other.
const clientKey = { modulusLength: 2048 }
const generate = promisify(generateKeyPair)

/** A key for a client's certificate, made without holding up everybody else. */
export function newClientKeys(): Promise<KeyPair> {
  return generate('rsa', clientKey)
}

/** A certificate authority of one sandbox; gone with it. */
export class SandboxAuthority {
  /** Its own certificate, as PEM. */
  readonly certificate: string
  readonly #key: KeyObject
  readonly #name: Buffer
  readonly #keyId: Buffer
  readonly #now: number

  constructor(commonName: string, now: number) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    this.#now = now
    this.#name = nameOf({ organization: 'passport-outofband sandbox', commonName })
    this.#keyId = keyIdOf(publicKey)
    const extensions = [
      extension('2.5.29.19', sequence(TRUE), true),
      extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true),
      extension('2.5.29.14', octets(this.#keyId)),
    ]
    this.certificate = this.#pem(this.#name, publicKey, extensions, {})
  }

  issue(request: CertificateRequest, keys?: KeyPair): IssuedCertificate {
    const isServer = request.use === 'server'
    const { privateKey, publicKey } =
      keys ?? (isServer ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', clientKey))
    const extensions = [
      extension('2.5.29.19', sequence(), true),
      extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true),
      extension('2.5.29.37', sequence(oid(isServer ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'))),
      extension('2.5.29.14', octets(keyIdOf(publicKey))),
      extension('2.5.29.35', sequence(tagged(0, this.#keyId, true))),
      ...(request.hosts ? [extension('2.5.29.17', sequence(...request.hosts.map(hostName)))] : []),
    ]
    const certificate = this.#pem(nameOf(request.subject), publicKey, extensions, request)
    return { certificate, key: privateKey, fingerprint256: new X509Certificate(certificate).fingerprint256 }
  }

  #pem(
    subject: Buffer,
    publicKey: KeyObject,
    extensions: readonly Buffer[],
    { notBefore, notAfter }: Pick<CertificateRequest, 'notBefore' | 'notAfter'>,
  ): string {
    const validity = sequence(
      time(notBefore ?? new Date(this.#now - DAY_MS)),
      time(notAfter ?? new Date(this.#now + 365 * DAY_MS)),
    )
    const serial = Buffer.from([0x01, ...randomBytes(15)])
    const toBeSigned = sequence(
      tagged(0, integer(Buffer.from([2]))),
      integer(serial),
      SIGNED_WITH,
      this.#name,
      validity,
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(3, sequence(...extensions)),
    )
    const certificate = sequence(toBeSigned, SIGNED_WITH, bits(sign('sha256', toBeSigned, this.#key)))
    const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  }
}

/** Certificate and encrypted key in one text, as the provider hands them out. */
export function pemFile({ certificate, key }: IssuedCertificate, passphrase: string): string {
  const encrypted = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
  return `Bag Attributes\n    friendlyName: sandbox\n${certificate}${String(encrypted)}`
}

function nameOf(name: CertificateName): Buffer {
  const parts = Object.entries(nameOids).flatMap(([key, id]) => {
    const value: unknown = Reflect.get(name, key)
    return typeof value === 'string' ? [set(sequence(oid(id), text(value)))] : []
  })
  return sequence(...parts)
}

function extension(id: string, value: Uint8Array, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [TRUE] : []), octets(value))
}

function hostName(host: string): Buffer {
  const isAddress = /^\d+(?:\.\d+){3}$/.test(host)
  return isAddress ? tagged(7, Buffer.from(host.split('.').map(Number)), true) : tagged(2, Buffer.from(host), true)
}

function keyIdOf(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20)
}
