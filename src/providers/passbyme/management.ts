import { inspect } from 'node:util'
import { z } from 'zod'
import { parseOptions } from '../../options.js'
import { Connection, connectionOptions, type PassByMeOptions } from './connection.js'
import type { CertificateInfo } from './credentials.js'
import { ManagementCalls } from './management-calls.js'
import {
  ManagementAdministrators,
  ManagementApplications,
  ManagementDevices,
  ManagementOrganization,
} from './management-organization.js'
import { ManagementAliases, ManagementEnrollments, ManagementUsers } from './management-users.js'

const managementOptions = z.strictObject(connectionOptions)

/**
 * The management API of PassBy[ME], over mutual TLS with the organisation's certificate. It can enrol and delete people:
 * keep that certificate away from the machines that only ask for approvals.
 *
 * @example
 * const management = new PassByMeManagementClient({ cert: '/etc/app/organisation.pem', passphrase })
 * const user = await management.users.create({ userId: 'alice', email: 'alice@example.org' })
 * await management.enrollments.create(user.oid)
 */
export class PassByMeManagementClient {
  readonly users: ManagementUsers
  readonly aliases: ManagementAliases
  /** Invitations of users' phones. */
  readonly enrollments: ManagementEnrollments
  readonly administrators: ManagementAdministrators
  readonly applications: ManagementApplications
  readonly devices: ManagementDevices
  readonly organization: ManagementOrganization
  readonly #connection: Connection

  /** @throws InvalidOptionError, and ClientCertificateError when the certificate or key can't be used. */
  constructor(options: PassByMeOptions) {
    const given = parseOptions(managementOptions, options, 'PassByMeManagementClient')
    this.#connection = new Connection(given, kind, 'PassByMeManagementClient')
    const calls = new ManagementCalls(this.#connection)
    this.users = new ManagementUsers(calls)
    this.aliases = new ManagementAliases(calls)
    this.enrollments = new ManagementEnrollments(calls, 'users')
    this.administrators = new ManagementAdministrators(calls)
    this.applications = new ManagementApplications(calls)
    this.devices = new ManagementDevices(calls)
    this.organization = new ManagementOrganization(calls)
  }

  /** What is known of the client certificate; undefined for PKCS#12. */
  get certificate(): CertificateInfo | undefined {
    return this.#connection.certificate
  }

  /** Closes the connections. */
  close(): void {
    this.#connection.close()
  }

  toJSON(): object {
    return { provider: 'passbyme-management', certificate: this.certificate }
  }

  [inspect.custom](): string {
    return `PassByMeManagementClient ${inspect(this.toJSON())}`
  }
}

const kind = { provider: 'passbyme-management', version: '2', baseUrl: 'https://api.passbyme.com/register' } as const
