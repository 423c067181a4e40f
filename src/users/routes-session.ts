import { authorised, findTarget, hasRole, type ServiceContext } from './context.js'
import { refusals, type Answer } from './refusal.js'
import type { Call, Route } from './routing.js'
import { wireTime } from './user-view.js'

/** Routes that the original does not have: one's sessions, and ending them. Their paths collide with none of its. */
export function sessionRoutes(context: ServiceContext): readonly Route[] {
  return [
    { method: 'GET', path: '/auth/sessions/', handle: (call) => listSessions(context, call) },
    { method: 'DELETE', path: '/auth/sessions/', handle: (call) => endSessions(context, call, 'current') },
    { method: 'DELETE', path: '/auth/sessions/{session_id}/', handle: (call) => endSession(context, call) },
    {
      method: 'DELETE',
      path: '/user/{user_id}/sessions/',
      handle: (call) => endSessions(context, call, call.params[0] ?? ''),
    },
  ]
}

async function listSessions(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    const sessions = await context.sessions.list(caller.user.id, caller.user.epoch)
    const body = sessions.map((session) => ({
      id: session.jti,
      current: session.jti === caller.jti,
      client: session.client,
      started_at: wireTime(session.startedAt * 1000),
      refreshed_at: session.refreshedAt === null ? null : wireTime(session.refreshedAt * 1000),
    }))
    return { status: 200, body }
  })
}

async function endSession(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    const jti = call.params[0] ?? ''
    const session = await context.sessions.read(jti)
    // Somebody else's session and none at all look alike; either way it isn't there for the caller afterwards.
    if (session?.userId === caller.user.id) {
      await context.sessions.end(jti, caller.user.id)
      context.emit({ type: 'sessions.ended', userId: caller.user.id, reason: 'one' })
    }
    return { status: 204 }
  })
}

async function endSessions(context: ServiceContext, call: Call, userId: string): Promise<Answer> {
  return authorised(context, call, async (caller) => {
    const target = await findTarget(context, caller, userId)
    if (target.id !== caller.user.id && !hasRole(caller.user, 'admin')) throw refusals.accessDenied()
    const outcome = await context.store.update(target.id, { endSessions: true }, { at: context.now() })
    if (!outcome.ok) throw refusals.noSuchUser(userId)
    context.emit({ type: 'sessions.ended', userId: target.id, actorId: caller.user.id, reason: 'all' })
    return { status: 204 }
  })
}
