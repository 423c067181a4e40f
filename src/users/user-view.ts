import type { JsonObject } from '../approval/json.js'
import type { UserRecord } from './user-store.js'

/** A user as the wire shows them: ten members, each of them always there, the password never. */
export function userView(user: UserRecord): JsonObject {
  return {
    id: user.id,
    email: user.email,
    phone: user.phone,
    first_name: user.firstName,
    last_name: user.lastName,
    is_active: user.isActive,
    last_login: wireTime(user.lastLoginAt),
    roles: [...user.roles],
    updated_at: wireTime(user.updatedAt),
    created_at: wireTime(user.createdAt),
  }
}

/** UTC without a zone, with six digits of the second's fraction or with none. */
export function wireTime(ms: number): string {
  const iso = new Date(ms).toISOString()
  return iso.endsWith('.000Z') ? iso.slice(0, 19) : `${iso.slice(0, -1)}000`
}
