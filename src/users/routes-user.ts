import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import { readBody, type Body } from './body.js'
import {
  authorised,
  authorisedWithBody,
  findTarget,
  findUser,
  hasRole,
  isFresh,
  mayChange,
  objectBody,
  type ServiceContext,
} from './context.js'
import { refusals, type Answer } from './refusal.js'
import { register } from './registration.js'
import { patchUserBody, registerBody, rolesBody } from './request-schemas.js'
import type { Call, Route } from './routing.js'
import { changeRoles, changesOf, changeUser, deactivate, movesContact } from './user-changes.js'
import { userView } from './user-view.js'

export function userRoutes(context: ServiceContext): readonly Route[] {
  return [
    { method: 'POST', path: '/user/', handle: ({ req }) => registration(context, req) },
    { method: 'GET', path: '/user/{user_id}/', handle: (call) => getUser(context, call) },
    { method: 'PATCH', path: '/user/{user_id}/', handle: (call) => patchUser(context, call) },
    { method: 'DELETE', path: '/user/{user_id}/', handle: (call) => deleteUser(context, call) },
    { method: 'GET', path: '/user/{user_id}/role/', handle: (call) => getRoles(context, call) },
    { method: 'PATCH', path: '/user/{user_id}/role/', handle: (call) => patchRoles(context, call) },
  ]
}

async function registration(context: ServiceContext, req: IncomingMessage): Promise<Answer> {
  const registered = await register(context, req, await objectBody(context, req, registerBody))
  if (registered === undefined) return { status: 200 }
  const { user, client, headers } = registered
  const token = await context.tokens.issue(user, client, user.passwordHash === null ? [] : ['pwd'])
  return { status: 201, body: { ...userView(user), access_token: token }, headers }
}

async function getUser(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    const user = await findTarget(context, caller, call.params[0] ?? '')
    return { status: 200, body: userView(user) }
  })
}

async function patchUser(context: ServiceContext, call: Call): Promise<Answer> {
  const read = (req: IncomingMessage): Promise<JsonObject> => objectBody(context, req, patchUserBody)
  return authorisedWithBody(context, call, read, async (caller, body) => {
    const target = await findTarget(context, caller, call.params[0] ?? '')
    mayChange(caller, target)
    const changes = changesOf(context, caller.user, target, body)
    const isSelf = caller.user.id === target.id
    if (isSelf && movesContact(target, changes) && !isFresh(context, caller)) throw refusals.reauthenticate()
    const user = await changeUser(context, caller.user, target, changes)
    return { status: 200, body: userView(user) }
  })
}

async function deleteUser(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    if (!hasRole(caller.user, 'admin')) throw refusals.missingRole('admin')
    const userId = call.params[0] ?? ''
    const target = await findUser(context, userId)
    if (target === undefined) throw refusals.noSuchUser(userId)
    await deactivate(context, caller.user, target)
    return { status: 204 }
  })
}

async function getRoles(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    const user = await findTarget(context, caller, call.params[0] ?? '')
    return { status: 200, body: [...user.roles] }
  })
}

async function patchRoles(context: ServiceContext, call: Call): Promise<Answer> {
  const read = (req: IncomingMessage): Promise<Body> => readBody(req, rolesBody, context.settings.maxBodyBytes)
  return authorisedWithBody(context, call, read, async (caller, { value }) => {
    if (!hasRole(caller.user, 'admin')) throw refusals.missingRole('admin')
    const target = await findTarget(context, caller, call.params[0] ?? '')
    const roles = (Array.isArray(value) ? value : []).filter((role) => typeof role === 'string')
    const user = await changeRoles(context, caller.user, target, roles)
    return { status: 200, body: [...user.roles] }
  })
}
