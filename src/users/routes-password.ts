import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import {
  authorisedWithBody,
  findTarget,
  isFresh,
  mayChange,
  objectBody,
  optionalString,
  type ServiceContext,
} from './context.js'
import { provePassword, setPassword } from './password-changes.js'
import { confirmReset, requestReset } from './password-reset.js'
import { refusals, type Answer } from './refusal.js'
import { confirmBody, resetBody, setPasswordBody } from './request-schemas.js'
import type { Call, Route } from './routing.js'
import { stringMember } from './schema.js'

export function passwordRoutes(context: ServiceContext): readonly Route[] {
  return [
    { method: 'POST', path: '/user/{user_id}/set_password/', handle: (call) => setNewPassword(context, call) },
    { method: 'POST', path: '/password/reset/', handle: (call) => reset(context, call) },
    { method: 'POST', path: '/password/reset/confirm/', handle: (call) => confirm(context, call) },
  ]
}

async function setNewPassword(context: ServiceContext, call: Call): Promise<Answer> {
  const read = (req: IncomingMessage): Promise<JsonObject> => objectBody(context, req, setPasswordBody)
  return authorisedWithBody(context, call, read, async (caller, body) => {
    const target = await findTarget(context, caller, call.params[0] ?? '')
    const isSelf = target.id === caller.user.id
    mayChange(caller, target)
    if (!isSelf && !context.settings.setPasswordOfOthers) throw refusals.accessDenied()
    if (isSelf) {
      // A stolen token must not become a stolen account: a fresh login, or the password of now.
      const current = optionalString(body, 'current_password')
      if (typeof current === 'string') await provePassword(context, call.req, caller.user, current)
      else if (!isFresh(context, caller)) throw refusals.reauthenticate()
    }
    await setPassword(context, target, {
      password: stringMember(body, 'password'),
      actorId: caller.user.id,
      andThen: async ({ epoch }, at) => {
        if (isSelf) await context.sessions.keep(caller.jti, { epoch, authenticatedAt: Math.floor(at / 1000) })
      },
    })
    return { status: 200 }
  })
}

async function reset(context: ServiceContext, { req }: Call): Promise<Answer> {
  await requestReset(context, req, await objectBody(context, req, resetBody))
  return { status: 200 }
}

async function confirm(context: ServiceContext, { req }: Call): Promise<Answer> {
  await confirmReset(context, req, await objectBody(context, req, confirmBody))
  return { status: 200 }
}
