import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { ClientCertificateError } from '../../errors.js'
import type { TlsOptions } from '../http.js'

/** PEM text, the path of a file, or bytes. A string that holds no `-----BEGIN` is a path. */
export type Material = string | Uint8Array

/** The client certificate, which is the only credential that PassBy[ME] knows. */
export interface PassByMeCredentials {
  /** Private key as PEM. Default: it is in the same place as `cert`. */
  readonly key?: Material | undefined
  /** Certificate as PEM, with its issuers if they are needed; with the key if that is in the same file. */
  readonly cert?: Material | undefined
  /** Pass phrase of the key or of `pfx`. */
  readonly passphrase?: string | undefined
  /** Certificate and key as PKCS#12, instead of `cert` and `key`. A string is a path. */
  readonly pfx?: Material | undefined
  /** Certificate authorities to trust beside the built-in ones. */
  readonly ca?: Material | readonly Material[] | undefined
}

/** What is known of a client certificate. Nothing of it is secret. */
export interface CertificateInfo {
  readonly subject: string
  readonly serialNumber: string
  /** SHA-256 of the certificate, as colon-separated hexadecimal digits. */
  readonly fingerprint256: string
  readonly validFrom: Date
  readonly expiresAt: Date
}

/** @internal Credentials that were read and checked. */
export interface LoadedCredentials {
  readonly tls: TlsOptions
  /** Undefined for PKCS#12, whose dates Node can't read. */
  readonly certificate: CertificateInfo | undefined
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
const keyBlock = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z]+ )?PRIVATE KEY-----/

/** @internal The files behind the credentials, for noticing that they changed. */
export function filesOf(credentials: PassByMeCredentials): readonly string[] {
  const { key, cert, pfx, ca } = credentials
  const inputs = [key, cert, pfx, ...(ca === undefined || isMaterial(ca) ? [ca] : ca)]
  return inputs.filter((input) => typeof input === 'string').filter((input) => !input.includes('-----BEGIN'))
}

/** @internal What tells one version of the files from the next. */
export function versionOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false })
      return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : 'absent'
    })
    .join()
}

/**
 * @internal Reads and checks credentials, before there is any traffic.
 * @throws ClientCertificateError saying what is wrong with them.
 */
export function loadCredentials(credentials: PassByMeCredentials, now: number): LoadedCredentials {
  const { passphrase } = credentials
  const ca = caOf(credentials.ca)
  const common = { ...(ca && { ca }), ...(passphrase !== undefined && { passphrase }) }
  if (credentials.pfx !== undefined) {
    const pfx = bytesOf(credentials.pfx)
    checkPfx(pfx, passphrase)
    return { tls: { ...common, pfx }, certificate: undefined }
  }
  const certText = textOf(credentials.cert ?? credentials.key)
  const keyText = textOf(credentials.key ?? credentials.cert)
  const blocks = certText.match(certificateBlock) ?? []
  const key = keyText.match(keyBlock)?.[0]
  if (blocks.length === 0) throw new ClientCertificateError('missing', 'cert holds no PEM certificate')
  if (key === undefined) throw new ClientCertificateError('missing', 'there is no PEM private key in key or cert')
  const leaf = leafOf(blocks, privateKey(key, passphrase))
  checkDates(leaf, now)
  const issuers = blocks.filter((block) => new X509Certificate(block).fingerprint256 !== leaf.fingerprint256)
  return {
    tls: { ...common, key, cert: [leaf.toString(), ...issuers].join('\n') },
    certificate: {
      // Node writes a line for each part: one line, so that a log stays one line.
      subject: leaf.subject.replaceAll('\n', ', '),
      serialNumber: leaf.serialNumber,
      fingerprint256: leaf.fingerprint256,
      validFrom: new Date(leaf.validFrom),
      expiresAt: new Date(leaf.validTo),
    },
  }
}

/** @internal @throws ClientCertificateError when the certificate is outside its dates. */
export function checkDates(certificate: { readonly validFrom: string; readonly validTo: string }, now: number): void {
  if (now > Date.parse(certificate.validTo)) {
    throw new ClientCertificateError('expired', `the client certificate expired on ${certificate.validTo}; renew it`)
  }
  if (now < Date.parse(certificate.validFrom)) {
    throw new ClientCertificateError(
      'not-yet-valid',
      `the client certificate is not valid before ${certificate.validFrom}; is this machine's clock right?`,
    )
  }
}

function leafOf(blocks: readonly string[], key: KeyObject): X509Certificate {
  const certificates = blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw new ClientCertificateError('unreadable', 'a certificate in cert is broken', { cause })
    }
  })
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key))
  if (leaf) return leaf
  throw new ClientCertificateError('mismatch', 'the private key does not belong to the certificate')
}

function privateKey(pem: string, passphrase: string | undefined): KeyObject {
  const isEncrypted = /ENCRYPTED/.test(pem)
  if (isEncrypted && !passphrase) {
    throw new ClientCertificateError('passphrase', 'the private key is encrypted; give its passphrase')
  }
  try {
    return createPrivateKey({ key: pem, ...(isEncrypted && { passphrase }) })
  } catch {
    // No cause: OpenSSL's errors say nothing more, and must not come to hold key material.
    throw isEncrypted
      ? new ClientCertificateError('passphrase', 'the passphrase does not fit the private key')
      : new ClientCertificateError('unreadable', 'the private key is broken')
  }
}

function checkPfx(pfx: Uint8Array, passphrase: string | undefined): void {
  try {
    createSecureContext({ pfx: Buffer.from(pfx), ...(passphrase !== undefined && { passphrase }) })
  } catch (error) {
    const text = error instanceof Error ? `${String(Reflect.get(error, 'code'))} ${error.message}` : ''
    if (/mac verify/i.test(text)) {
      throw new ClientCertificateError('passphrase', 'the passphrase does not fit the PKCS#12 file')
    }
    if (/unsupported/i.test(text)) {
      throw new ClientCertificateError(
        'legacy-pkcs12',
        'the PKCS#12 file uses an old cipher that this OpenSSL refuses; write it anew with: openssl pkcs12 -legacy -in old.p12 -nodes | openssl pkcs12 -export -out new.p12',
      )
    }
    throw new ClientCertificateError('unreadable', 'pfx is not a PKCS#12 file with a certificate and its key')
  }
}

function caOf(ca: PassByMeCredentials['ca']): string[] | undefined {
  if (ca === undefined) return undefined
  return (isMaterial(ca) ? [ca] : ca).map((material) => {
    const text = textOf(material)
    if (!text.match(certificateBlock)) throw new ClientCertificateError('missing', 'ca holds no PEM certificate')
    return text
  })
}

function isMaterial(value: PassByMeCredentials['ca']): value is Material {
  return typeof value === 'string' || value instanceof Uint8Array
}

function textOf(material: Material | undefined): string {
  if (typeof material === 'string' && material.includes('-----BEGIN')) return material
  return material === undefined ? '' : Buffer.from(bytesOf(material)).toString('latin1')
}

function bytesOf(material: Material): Uint8Array {
  if (typeof material !== 'string') return material
  try {
    return readFileSync(material)
  } catch (error) {
    const code = error instanceof Error ? String(Reflect.get(error, 'code')) : ''
    // The path is named in the cause only: it may tell where keys lie.
    throw new ClientCertificateError('missing', `a file of the client certificate can't be read (${code})`, {
      cause: error,
    })
  }
}
