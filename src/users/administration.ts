import { checkBody } from './body.js'
import { findUser, hasRole, type ServiceContext } from './context.js'
import { outcomeOf, type Outcome } from './outcome.js'
import { publicUser, type PublicUser } from './public-user.js'
import { refusals } from './refusal.js'
import { rolesBody } from './request-schemas.js'
import { changeRoles, changeUser, deactivate } from './user-changes.js'
import type { UserRecord } from './user-store.js'

/** Who does something to whom. */
interface Act {
  /** Who does it: an active administrator at this moment, or it is refused. */
  readonly actorId: number
  readonly userId: number
}

/** The users, for an administrator's pages. */
export interface UserAdministration {
  readonly find: (userId: number) => Promise<PublicUser | undefined>
  /**
   * Users in the order of their ids, beginning after `afterId` (0 at first); `limit` is 1 to 500, by default 50. With
   * `search`, those whose address, number or names contain it; the case of the letters A to Z doesn't matter.
   */
  readonly list: (page?: {
    readonly afterId?: number
    readonly limit?: number
    readonly search?: string
  }) => Promise<readonly PublicUser[]>
  /**
   * Replaces the roles of a user. Refusals: 403 `MissingRoleError`, 400 `NoSuchUser`, or `BadRequest` for names that are
   * none and when no active administrator would be left.
   */
  readonly setRoles: (
    act: Act & { readonly roles: readonly string[] },
  ) => Promise<Outcome<{ readonly user: PublicUser }>>
  /**
   * Deactivates a user, which ends all their sessions and tokens, or lets them in again. Nobody does it to themselves.
   *
   * Refusals: 403 `MissingRoleError` or `AccessDenied` (oneself), 400 `NoSuchUser`, or `BadRequest` when no active
   * administrator would be left.
   */
  readonly setActive: (act: Act & { readonly isActive: boolean }) => Promise<Outcome<{ readonly user: PublicUser }>>
}

export function createAdministration(context: ServiceContext): UserAdministration {
  const { store, settings } = context
  return {
    async find(userId) {
      const user = await findUser(context, String(userId))
      return user && publicUser(user)
    },
    async list({ afterId = 0, limit = 50, search } = {}) {
      // What no column can hold is not put to the store.
      const text = search?.replaceAll(/\p{Cc}|\p{Cs}/gu, '').slice(0, 256) ?? ''
      const page = { afterId: within(afterId, 0, 2_147_483_647), limit: within(limit, 1, 500) }
      return (await store.list({ ...page, ...(text === '' ? {} : { search: text }) })).map(publicUser)
    },
    setRoles: ({ actorId, userId, roles }) =>
      outcomeOf(async () => {
        const { actor, target } = await parties(context, actorId, userId)
        checkBody(roles, rolesBody, settings.maxBodyBytes)
        return { user: publicUser(await changeRoles(context, actor, target, roles)) }
      }),
    setActive: ({ actorId, userId, isActive }) =>
      outcomeOf(async () => {
        const { actor, target } = await parties(context, actorId, userId)
        if (actor.id === target.id) throw refusals.accessDenied()
        const changed = isActive
          ? await changeUser(context, actor, target, target.isActive ? {} : { isActive })
          : await deactivate(context, actor, target)
        return { user: publicUser(changed) }
      }),
  }
}

// Negated on purpose: NaN becomes the least.
function within(value: number, least: number, most: number): number {
  return !(value > least) ? least : Math.min(Math.floor(value), most)
}

async function parties(
  context: ServiceContext,
  actorId: number,
  userId: number,
): Promise<{ readonly actor: UserRecord; readonly target: UserRecord }> {
  const actor = await findUser(context, String(actorId))
  if (actor?.isActive !== true || !hasRole(actor, 'admin')) throw refusals.missingRole('admin')
  const target = await findUser(context, String(userId))
  if (target === undefined) throw refusals.noSuchUser(String(userId))
  return { actor, target }
}
