import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { z } from 'zod'
import { text, type SandboxReply, type SandboxRequest } from '../http-message.js'
import type { RunningStandIn, StandInContext } from '../stand-in.js'
import { sendCallback } from './callbacks.js'
import { newClientKeys, pemFile, SandboxAuthority, type CertificateRequest, type KeyPair } from './certificates.js'
import { Directory } from './directory.js'
import { managementApi } from './management-api.js'
import { Messages } from './messages.js'
import { messagingApi, type PassByMeQuirks } from './messaging-api.js'
import type { Organization } from './organization-api.js'
import { addToPhone } from './phone.js'
import { errorReply, serviceError } from './replies.js'

export type { PassByMeQuirks } from './messaging-api.js'

export const passByMeSandboxOptions = z.strictObject({
  users: z.array(z.string().min(1)).optional(),
})

/** Options of the PassBy[ME] stand-in. */
export interface PassByMeSandboxOptions {
  /** Ids of users who have a phone from the start. Default: alice, bob and carol at example.org. */
  readonly users?: readonly string[] | undefined
}

/** The PassBy[ME] stand-in, as tests see it. */
export interface PassByMeSandbox {
  /** Of the messaging API. */
  readonly url: string
  readonly managementUrl: string
  /** The authority that a client has to trust, as PEM. */
  readonly caFile: string
  /** An application's certificate and encrypted key, in one PEM file. */
  readonly pemFile: string
  /** The organisation's, for the management API. */
  readonly organisationPemFile: string
  readonly passphrase: string
  /** Who has a phone from the start. */
  readonly users: readonly string[]
  /** Ways to answer otherwise than usual. */
  readonly quirks: PassByMeQuirks
  /** A further application's certificate and key in one PEM text, under the same passphrase; its messages are its own. */
  issue(request?: Partial<Pick<CertificateRequest, 'notBefore' | 'notAfter'>>): string
  /** From now on the application of `pemFile` is answered `CERTIFICATE_REVOKED`. */
  revoke(): void
}

interface Holder {
  readonly kind: 'application' | 'organisation'
  readonly oid: string
  isRevoked: boolean
}

const APPLICATION = '1.3.6.1.4.1.99999.3.3'

/** Starts the stand-in: one listener, mutual TLS, `/frontend` and `/register`. */
export async function startPassByMe(
  context: StandInContext,
  options: PassByMeSandboxOptions = {},
): Promise<RunningStandIn<PassByMeSandbox>> {
  const { now, hub } = context
  const authority = new SandboxAuthority('Sandbox CA of PassBy[ME]', now())
  const holders = new Map<string, Holder>()
  const passphrase = `sandbox-${randomBytes(6).toString('hex')}`
  const issue = (kind: Holder['kind'], request: Partial<CertificateRequest> = {}, keys?: KeyPair) => {
    const oid = `${APPLICATION}.${holders.size + 1}`
    const commonName = kind === 'application' ? 'Demo Application' : 'Sandbox Organisation'
    const subject = { organization: 'Sandbox Org', commonName, serialNumber: oid }
    const issued = authority.issue({ ...request, subject, use: 'client' }, keys)
    const holder: Holder = { kind, oid, isRevoked: false }
    holders.set(issued.fingerprint256, holder)
    return { pem: pemFile(issued, passphrase), holder }
  }
  const [applicationKeys, organisationKeys] = await Promise.all([newClientKeys(), newClientKeys()])
  const application = issue('application', {}, applicationKeys)
  const organisation = issue('organisation', {}, organisationKeys)

  const quirks: PassByMeQuirks = { unknownRecipient: 'reject', statusWord: undefined, change: undefined }
  const directory = new Directory(now)
  const users = options.users ?? ['alice@example.org', 'bob@example.org', 'carol@example.org']
  for (const id of users) {
    const user = directory.create([id], id, id.split('@')[0])
    if (user) directory.addDevice(user, `Phone of ${id}`)
  }
  const messages = new Messages(now, (message) => {
    hub.changed()
    sendCallback(context, message)
  })
  const organization = newOrganization(application.holder.oid)
  const management = managementApi({ directory, organization, hub, now })

  const answer = async (request: SandboxRequest): Promise<SandboxReply> => {
    const holder = holders.get(fingerprintOf(request))
    if (!holder || holder.isRevoked) return serviceError('CERTIFICATE_REVOKED')
    const isMessaging = request.path.startsWith('/frontend/')
    const messaging = messagingApi(messages, directory, quirks, () => holder.oid)
    const route = (isMessaging ? messaging : management).find(request.method, request.path)
    if (route === undefined) return text(404, 'Not found')
    if (route === 'method') return text(405, 'Method not allowed')
    const version = request.incoming.headersDistinct['x-pbm-api-version']?.join()
    if (version !== (isMessaging ? '1' : '2')) return serviceError('UNSUPPORTED_API_VERSION')
    if (holder.kind !== (isMessaging ? 'application' : 'organisation')) return serviceError('FORBIDDEN')
    return route(request)
  }

  const server = authority.issue({
    subject: { commonName: 'localhost' },
    use: 'server',
    hosts: ['localhost', '127.0.0.1'],
  })
  const { url: origin } = await context.listen({
    handler: answer,
    errorReply,
    tls: {
      key: server.key.export({ type: 'pkcs8', format: 'pem' }),
      cert: server.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    },
  })
  organization.enrollmentBase = `${origin}/enroll`
  addToPhone(hub, messages, directory, now)

  const directoryPath = await context.directory()
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(directoryPath, name)
    await writeFile(path, content, { mode: 0o600 })
    return path
  }
  const entry = {
    url: `${origin}/frontend`,
    managementUrl: `${origin}/register`,
    caFile: await write('ca.pem', authority.certificate),
    pemFile: await write('application.pem', application.pem),
    organisationPemFile: await write('organisation.pem', organisation.pem),
    passphrase,
    users,
  }
  return {
    handle: {
      ...entry,
      quirks,
      issue: (request) => issue('application', request).pem,
      revoke: () => {
        application.holder.isRevoked = true
      },
    },
    describe: () => entry,
  }
}

function fingerprintOf(request: SandboxRequest): string {
  const { socket } = request.incoming
  return socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : ''
}

function newOrganization(application: string): Organization {
  return {
    fields: {
      organizationId: 1,
      name: 'Sandbox Org',
      pricing: 'trial',
      upgradable: true,
      downgradable: false,
      email: 'office@example.org',
      enrollmentExpirationHours: 24,
      invitationExpirationHours: 24,
      confirmationLetterEnabled: false,
      pricingExpiration: null,
      isCommercial: false,
    },
    administrators: [
      {
        userId: 'admin@example.org',
        oid: '1.3.6.1.4.1.99999.3.2.1',
        email: 'admin@example.org',
        enrollments: [],
        devices: [],
      },
    ],
    invitations: [],
    applications: new Map([[application, 'Demo Application']]),
    enrollmentBase: '',
  }
}
