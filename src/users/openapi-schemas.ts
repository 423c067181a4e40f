import type { JsonObject } from '../approval/json.js'

const time = {
  type: 'string',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{6})?$',
  description: 'UTC, without a zone',
}
const text = { type: 'string' }
const textOrNull = { type: ['string', 'null'] }
const token = { type: 'string', description: 'A JWT: access until `exp`, refresh from then to `rf_exp`' }

const user = {
  id: { type: 'integer', minimum: 1 },
  email: text,
  phone: textOrNull,
  first_name: textOrNull,
  last_name: textOrNull,
  is_active: { type: 'boolean' },
  last_login: time,
  roles: { type: 'array', items: text },
  updated_at: time,
  created_at: time,
}

function object(properties: JsonObject, extra: JsonObject = { additionalProperties: false }): JsonObject {
  return { type: 'object', required: Object.keys(properties), properties, ...extra }
}

/** What answers are made of. */
export const componentSchemas: JsonObject = {
  User: object(user),
  UserWithToken: object({ ...user, access_token: token }),
  Token: object({ access_token: token }),
  Claims: object(
    {
      iat: { type: 'integer' },
      exp: { type: 'integer' },
      jti: text,
      id: { type: 'integer' },
      rls: { type: 'string', description: 'The roles as they are now, joined with commas' },
      rf_exp: { type: 'integer' },
    },
    // Custom claims are shown too.
    { additionalProperties: true },
  ),
  Roles: { type: 'array', items: text },
  Sessions: {
    type: 'array',
    items: object({
      id: text,
      current: { type: 'boolean' },
      client: text,
      started_at: time,
      refreshed_at: { anyOf: [time, { type: 'null' }] },
    }),
  },
  KeySet: object({ keys: { type: 'array', items: { type: 'object', required: ['kty', 'alg'] } } }),
  Problem: object({
    type: { const: 'about:blank' },
    title: text,
    status: { type: 'integer' },
    detail: text,
  }),
  ServiceError: { type: 'object', required: ['code', 'description'], properties: { code: text, description: text } },
}
