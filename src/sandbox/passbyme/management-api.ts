import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { json, type SandboxReply, type SandboxRequest } from '../http-message.js'
import type { PhoneHub } from '../phone/hub.js'
import { Router, type PathParams } from '../router.js'
import { aliasBody, userBody, type Directory, type DirectoryUser } from './directory.js'
import { addEnrollments } from './enrollments-api.js'
import { addOrganization, type Organization } from './organization-api.js'
import { decode, malformed, notFound, page, readBody, serviceError } from './replies.js'

export interface ManagementParts {
  readonly directory: Directory
  readonly organization: Organization
  readonly hub: PhoneHub
  readonly now: () => number
}

const newUser = z.object({
  userId: z.string().min(1).max(255),
  email: z.string().min(3).max(255),
  fullName: z.string().optional(),
  phoneNumber: z.string().optional(),
})
const changedUser = z.object({
  email: z.string().min(3).optional(),
  fullName: z.string().nullish(),
  phoneNumber: z.string().nullish(),
  disabled: z.boolean().optional(),
})
const aliasRequest = z.object({ userId: z.string().min(1).max(255) })

/** The routes under `/register`. */
export function managementApi(parts: ManagementParts): Router {
  const router = new Router()
  addUsers(router, parts)
  addAliases(router, parts)
  addDevices(router, parts)
  addEnrollments(router, parts)
  addOrganization(router, parts.organization, parts.directory, parts.now)
  return router
}

function addUsers(router: Router, { directory }: ManagementParts): void {
  const users = '/register/rest/users'
  router
    .add('POST', users, async (request) => {
      const body = await readBody(request, newUser)
      if (!body) return malformed
      const user = directory.create([body.userId], body.email, body.fullName, body.phoneNumber)
      return user ? json(200, userBody(user)) : serviceError('ALREADY_EXISTS')
    })
    .add('GET', users, () => json(200, page([...directory.users.values()].map(userBody))))
    .add('GET', `${users}/count`, () => json(200, directory.users.size))
    .add(
      'GET',
      `${users}/:oid`,
      withUser(directory, (user) => json(200, userBody(user))),
    )
    .add(
      'PUT',
      `${users}/:oid`,
      withUser(directory, async (user, request) => {
        const body = await readBody(request, changedUser)
        if (!body) return malformed
        user.email = body.email ?? user.email
        if (body.fullName !== undefined) user.fullName = body.fullName
        if (body.phoneNumber !== undefined) user.phoneNumber = body.phoneNumber
        user.disabled = body.disabled ?? user.disabled
        return json(200, user.oid)
      }),
    )
    .add(
      'DELETE',
      `${users}/:oid`,
      withUser(directory, (user) => {
        directory.users.delete(user.oid)
        return json(200, user.oid)
      }),
    )
}

function addAliases(router: Router, { directory }: ManagementParts): void {
  const names = '/register/rest/loginNames'
  router
    .add(
      'POST',
      `${names}/:oid`,
      withUser(directory, async (user, request) => {
        const body = await readBody(request, aliasRequest)
        if (!body) return malformed
        if (directory.byAlias(body.userId)) return serviceError('ALREADY_EXISTS')
        user.aliases.add(body.userId)
        return json(200, aliasBody(user, body.userId))
      }),
    )
    .add(
      'GET',
      `${names}/:oid`,
      withUser(directory, (user) => json(200, { data: [...user.aliases].map((userId) => aliasBody(user, userId)) })),
    )
    .add('GET', names, (request) => {
      const userId = new URLSearchParams(request.rawQuery).get('userId') ?? ''
      const user = directory.byAlias(userId)
      return user ? json(200, aliasBody(user, userId)) : notFound
    })
    .add('DELETE', names, (request) => {
      const query = new URLSearchParams(request.rawQuery)
      const user = directory.users.get(query.get('oid') ?? '')
      return user?.aliases.delete(query.get('userId') ?? '') ? json(200, user.oid) : notFound
    })
}

function addDevices(router: Router, { directory, hub }: ManagementParts): void {
  const devices = '/register/rest/devices'
  const all = () => [...directory.users.values()].flatMap((user) => user.devices.map((device) => ({ user, device })))
  router
    .add('GET', devices, () =>
      json(200, page(all().map(({ device, user }) => ({ ...deviceBody(device), oid: user.oid })))),
    )
    .add(
      'GET',
      '/register/rest/users/:oid/devices',
      withUser(directory, (user) => json(200, { data: user.devices.map(deviceBody) })),
    )
    .add('POST', `${devices}/deactivationpass`, async (request) => {
      const body = await readBody(request, z.object({ vendorId: z.string() }))
      if (!body) return malformed
      const found = all().find(({ device }) => device.vendorId === body.vendorId)
      if (!found) return notFound
      const password = randomBytes(6).toString('hex')
      found.device.deactivationPassword = password
      hub.deliver({
        provider: 'passbyme',
        kind: 'mail',
        to: found.user.email,
        subject: 'Deactivation password',
        text: `The deactivation password is ${password}`,
        code: password,
      })
      return json(200, '')
    })
    .add('POST', `${devices}/deactivations`, async (request) => {
      const body = await readBody(request, z.object({ deactivationPassword: z.string().min(1) }))
      if (!body) return malformed
      const found = all().find(({ device }) => device.deactivationPassword === body.deactivationPassword)
      if (!found) return notFound
      found.user.devices = found.user.devices.filter((device) => device !== found.device)
      hub.changed()
      return json(200, '')
    })
}

function deviceBody(device: DirectoryUser['devices'][number]): object {
  const { vendorId, deviceType, name } = device
  return { vendorId, deviceType, deviceName: name }
}

/** Finds the user of `:oid`. */
export function withUser(
  directory: Directory,
  handler: (user: DirectoryUser, request: SandboxRequest, params: PathParams) => SandboxReply | Promise<SandboxReply>,
) {
  return (request: SandboxRequest, params: PathParams): SandboxReply | Promise<SandboxReply> => {
    const user = directory.users.get(decode(params['oid']))
    return user ? handler(user, request, params) : notFound
  }
}
