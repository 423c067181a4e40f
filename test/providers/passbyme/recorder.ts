import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SandboxAuthority } from '../../../src/sandbox/passbyme/certificates.js'

/** An https server that demands a client certificate, keeps what it is sent, and answers what the test says. */
export interface Recorder {
  readonly url: string
  /** The authority of its own certificate, as PEM. */
  readonly ca: string
  readonly requests: {
    readonly method: string
    readonly path: string
    readonly headers: IncomingHttpHeaders
    readonly body: string
  }[]
  answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  close(): Promise<void>
}

/** Starts one that takes the certificates of a sandbox. */
export async function recorder(sandbox: { readonly caFile: string }): Promise<Recorder> {
  const authority = new SandboxAuthority('recorder', Date.now())
  const own = authority.issue({ subject: { commonName: 'recorder' }, use: 'server', hosts: ['127.0.0.1'] })
  const requests: Recorder['requests'] = []
  const server = createServer(
    {
      key: own.key.export({ type: 'pkcs8', format: 'pem' }),
      cert: own.certificate,
      ca: readFileSync(sandbox.caFile),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        requests.push({ method: request.method!, path: request.url!, headers: request.headers, body })
        response.writeHead(recording.answer.status, { ...recording.answer.headers })
        response.end(recording.answer.body)
      })
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const recording: Recorder = {
    url: `https://127.0.0.1:${port}`,
    ca: authority.certificate,
    requests,
    answer: { status: 500, headers: {}, body: '' },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return recording
}
