import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** A certificate authority that lives as long as a test. Made with the openssl program. */
export interface TestAuthority {
  readonly ca: string
  /** A certificate for 127.0.0.1 and localhost, good for servers and clients. */
  issue(commonName: string): Identity
  /** Certificate and key as PKCS#12. */
  pkcs12(identity: Identity, passphrase: string): Buffer
  /** Deletes its files. */
  close(): void
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

/** Makes one. */
export function testAuthority(): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'authority-'))
  const run = (...args: string[]): Buffer =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8')
  run('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test authority')
  return {
    ca: text('ca.pem'),
    issue: (commonName) => {
      const names = [
        '-addext',
        'subjectAltName=IP:127.0.0.1,DNS:localhost',
        '-addext',
        'basicConstraints=critical,CA:FALSE',
      ]
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', `/CN=${commonName}`]
      run('req', '-x509', ...newKey, '-keyout', 'own.key', '-out', 'own.pem', ...signed, ...names)
      return { cert: text('own.pem'), key: text('own.key') }
    },
    pkcs12: ({ cert, key }, passphrase) => {
      writeFileSync(join(folder, 'in.pem'), key + cert)
      return run('pkcs12', '-export', '-in', 'in.pem', '-passout', `pass:${passphrase}`)
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
