import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { json } from '../http-message.js'
import type { Router } from '../router.js'
import { userBody, type Directory, type DirectoryDevice, type Enrollment } from './directory.js'
import { decode, malformed, notFound, page, readBody, serviceError } from './replies.js'

export interface Administrator {
  readonly userId: string
  readonly oid: string
  readonly email: string
  enrollments: Enrollment[]
  devices: DirectoryDevice[]
}

/** The organisation beside its users. */
export interface Organization {
  fields: Record<string, unknown>
  readonly administrators: Administrator[]
  readonly invitations: object[]
  readonly applications: Map<string, string>
  /** What enrollment links begin with. */
  enrollmentBase: string
}

const named = z.object({ name: z.string().min(1) })

export function addOrganization(
  router: Router,
  organization: Organization,
  directory: Directory,
  now: () => number,
): void {
  addAdministrators(router, organization, directory, now)
  addApplications(router, organization)
  const path = '/register/rest/organization'
  router
    .add('GET', path, () => json(200, organization.fields))
    .add('PUT', path, async (request) => {
      const body = await readBody(request, z.record(z.string(), z.unknown()))
      if (!body) return malformed
      const { orgName, ...fields } = body
      organization.fields = { ...organization.fields, ...fields, ...(typeof orgName === 'string' && { name: orgName }) }
      return json(200, '')
    })
    .add('GET', `${path}/pricing`, () =>
      json(200, {
        maxNumberOfUsers: 1000,
        maxNumberOfAdmins: 10,
        daysOfActivityLog: 30,
        maxNumberOfDevicesPerUser: 5,
        hasManagementAPI: true,
        hasUserDisabling: true,
        creditPerUser: 100,
      }),
    )
    .add('GET', '/register/rest/activity', (request) => {
      const query = new URLSearchParams(request.rawQuery)
      const search = query.get('search[value]') ?? ''
      const found = directory.activity.filter((entry) => JSON.stringify(entry).includes(search))
      const start = Number(query.get('start') ?? 0)
      const length = Number(query.get('length') ?? 1000)
      if (!Number.isInteger(start) || !Number.isInteger(length)) return malformed
      return json(200, {
        ...page(found.slice(start, start + length), directory.activity.length),
        recordsFiltered: found.length,
      })
    })
}

function addAdministrators(router: Router, organization: Organization, directory: Directory, now: () => number): void {
  const { administrators, invitations } = organization
  const path = '/register/rest/administrators'
  router
    .add('GET', path, () => json(200, { data: administrators.map(({ userId, oid }) => ({ userId, oid })) }))
    .add('POST', `${path}/user`, async (request) => {
      const body = await readBody(request, z.object({ userId: z.string().min(1), adminId: z.string() }))
      if (!body) return malformed
      const administrator = administrators.find(({ userId }) => userId === body.adminId)
      if (!administrator) return notFound
      const user = directory.create([body.userId], administrator.email)
      return user ? json(200, userBody(user)) : serviceError('ALREADY_EXISTS')
    })
    .add('GET', `${path}/:owner/devices`, (_request, { owner }) => {
      const administrator = administrators.find(({ userId }) => userId === decode(owner))
      if (!administrator) return notFound
      return json(200, { data: administrator.devices.map(({ vendorId, deviceType }) => ({ vendorId, deviceType })) })
    })
    .add('POST', '/register/rest/invitations', () => {
      const expiryDate = new Date(now() + 86_400_000).toISOString()
      const invitation = { expiryDate, code: randomBytes(8).toString('hex') }
      invitations.push(invitation)
      return json(200, invitation)
    })
    .add('GET', '/register/rest/invitations', () => json(200, { data: invitations }))
}

function addApplications(router: Router, { applications }: Organization): void {
  const path = '/register/rest/applications'
  const body = (id: string): object => ({ id, name: applications.get(id) })
  router
    .add('POST', path, async (request) => {
      const given = await readBody(request, named)
      if (!given) return malformed
      const id = `1.3.6.1.4.1.99999.3.3.${applications.size + 1}.${randomBytes(2).readUInt16BE()}`
      applications.set(id, given.name)
      return json(200, body(id))
    })
    .add('GET', path, () => json(200, { data: [...applications.keys()].map(body) }))
    .add('GET', `${path}/:id`, (_request, { id }) =>
      applications.has(decode(id)) ? json(200, body(decode(id))) : notFound,
    )
    .add('PUT', `${path}/:id`, async (request, { id }) => {
      const given = await readBody(request, named)
      if (!given) return malformed
      if (!applications.has(decode(id))) return notFound
      applications.set(decode(id), given.name)
      return json(200, decode(id))
    })
    .add('DELETE', `${path}/:id`, (_request, { id }) =>
      applications.delete(decode(id)) ? json(200, decode(id)) : notFound,
    )
}
