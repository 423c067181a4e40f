import { X509Certificate } from 'node:crypto'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { z } from 'zod'
import { InvalidOptionError } from '../errors.js'
import { errorCode, safeCause } from './http-redact.js'

/** PEM text or bytes. */
export type PemInput = string | Uint8Array

/** TLS of the connections to a provider. Certificates are always verified; nothing here turns that off. */
export interface TlsOptions {
  /** Certificate authorities to trust beside the built-in ones, as PEM. */
  readonly ca?: PemInput | readonly PemInput[] | undefined
  /** Client certificate with its chain, as PEM. Needs `key`. */
  readonly cert?: PemInput | undefined
  /** Private key of `cert`, as PEM. */
  readonly key?: PemInput | undefined
  /** Client certificate and key as PKCS#12, instead of `cert` and `key`. */
  readonly pfx?: Uint8Array | undefined
  /** Pass phrase of `key` or `pfx`. */
  readonly passphrase?: string | undefined
}

const pem = z.union([z.string().min(1), z.instanceof(Uint8Array)], { error: 'give PEM text or bytes' })

/** The `tls` option of a transport. */
export const tlsOption = z.strictObject({
  ca: z.union([pem, z.array(pem).min(1)], { error: 'give PEM text or bytes, or a list of them' }).optional(),
  cert: pem.optional(),
  key: pem.optional(),
  pfx: z.instanceof(Uint8Array, { error: 'give the bytes of a PKCS#12 file' }).optional(),
  passphrase: z.string().optional(),
})

/**
 * Key material, checked when the client is made and not at the first call.
 *
 * @throws {@link InvalidOptionError} for a wrong pass phrase, a key that does not belong to the certificate, or files that aren't what they should be.
 */
export function secureContext(owner: string, options: TlsOptions): SecureContext {
  if ((options.key === undefined) !== (options.cert === undefined))
    throw new InvalidOptionError(options.key ? 'tls.cert' : 'tls.key', `${owner}: give tls.cert and tls.key together`)
  if (options.pfx && options.cert)
    throw new InvalidOptionError('tls.pfx', `${owner}: give either tls.pfx, or tls.cert and tls.key`)
  const ca = options.ca === undefined ? undefined : trustedWith(owner, options.ca)
  try {
    return createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca && { ca }),
      ...(options.cert !== undefined && { cert: toBuffer(options.cert) }),
      ...(options.key !== undefined && { key: toBuffer(options.key) }),
      ...(options.pfx !== undefined && { pfx: toBuffer(options.pfx) }),
      ...(options.passphrase !== undefined && { passphrase: options.passphrase }),
    })
  } catch (error) {
    throw keyError(owner, options, error)
  }
}

/** The built-in authorities and the added ones: `ca` of a TLS context would replace the built-in ones. */
export function trustedWith(owner: string, ca: PemInput | readonly PemInput[]): string[] {
  return [...rootCertificates, ...certificates(owner, ca)]
}

function certificates(owner: string, ca: PemInput | readonly PemInput[]): string[] {
  const inputs = typeof ca === 'string' || ca instanceof Uint8Array ? [ca] : ca
  return inputs.flatMap((input) => {
    const blocks = toBuffer(input)
      .toString('latin1')
      .match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g)
    // OpenSSL skips what it can't read without a word, and every call would then fail with an unknown issuer.
    if (!blocks) throw new InvalidOptionError('tls.ca', `${owner}: tls.ca holds no PEM certificate`)
    try {
      blocks.forEach((block) => new X509Certificate(block))
    } catch (error) {
      throw new InvalidOptionError('tls.ca', `${owner}: tls.ca holds a broken certificate`, { cause: safeCause(error) })
    }
    return blocks
  })
}

function keyError(owner: string, options: TlsOptions, error: unknown): InvalidOptionError {
  const code = errorCode(error) ?? ''
  const text = error instanceof Error ? error.message : ''
  const option = options.pfx ? 'tls.pfx' : 'tls.key'
  const cause = { cause: safeCause(error) }
  if (code === 'ERR_CRYPTO_UNSUPPORTED_OPERATION' || /unsupported/i.test(text)) {
    const cure = 'write it anew with: openssl pkcs12 -legacy -in old.p12 -nodes | openssl pkcs12 -export -out new.p12'
    return new InvalidOptionError(
      option,
      `${owner}: ${option} uses an old cipher that this OpenSSL refuses; ${cure}`,
      cause,
    )
  }
  if (/mismatch/i.test(code + text))
    return new InvalidOptionError(option, `${owner}: the private key does not belong to the certificate`, cause)
  if (/decrypt|mac verify|bad_pass|password|passphrase|interrupted/i.test(code + text)) {
    const missing = options.passphrase === undefined ? 'needs' : 'does not fit'
    return new InvalidOptionError(
      'tls.passphrase',
      `${owner}: ${option} ${missing} ${missing === 'needs' ? 'a' : 'this'} pass phrase`,
      cause,
    )
  }
  return new InvalidOptionError(option, `${owner}: the certificate or key can't be read`, cause)
}

function toBuffer(input: PemInput): Buffer {
  return typeof input === 'string' ? Buffer.from(input) : Buffer.from(input.buffer, input.byteOffset, input.byteLength)
}
