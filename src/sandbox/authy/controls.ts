import { z } from 'zod'
import { SandboxError } from '../../errors.js'
import { json } from '../http-message.js'
import { readJson } from '../phone/json-body.js'
import { Router } from '../router.js'
import type { AuthySandbox } from './handle.js'
import { callbackTarget } from './options.js'

const userChanges = z.strictObject({
  registered: z.boolean().optional(),
  confirmed: z.boolean().optional(),
  suspended: z.boolean().optional(),
  smsBlocked: z.boolean().optional(),
  hasHardToken: z.boolean().optional(),
})

const numberInfo = z.strictObject({
  type: z.enum(['voip', 'landline', 'cellphone', 'unknown']).optional(),
  provider: z.string().nullable().optional(),
  ported: z.boolean().optional(),
  provisioned: z.boolean().optional(),
  known: z.boolean().optional(),
})

const switches = z.strictObject({
  smsEnabled: z.boolean().optional(),
  callsEnabled: z.boolean().optional(),
  oneTouchEnabled: z.boolean().optional(),
  accountSuspended: z.boolean().optional(),
  customMessages: z.boolean().optional(),
  customCodes: z.boolean().optional(),
  genericTokens: z.boolean().optional(),
  exportEnabled: z.boolean().optional(),
  bannedCountries: z.array(z.string().regex(/^[0-9]{1,3}$/)).optional(),
})

/** `/api/authy/...` of the phone's JSON API: what the provider's console, and no phone, can do. */
export function authyControls(authy: AuthySandbox): Router {
  return new Router()
    .add('GET', '/users', () => json(200, authy.users()))
    .add('PATCH', '/users/:id', async (request, { id = '' }) =>
      json(200, authy.changeUser(id, await readJson(request, userChanges))),
    )
    .add('GET', '/callback', () => json(200, authy.callback ?? null))
    .add('PUT', '/callback', async (request) => {
      authy.callback = await readJson(request, callbackTarget)
      return json(200, authy.callback)
    })
    .add('DELETE', '/callback', () => {
      authy.callback = undefined
      return json(200, null)
    })
    .add('GET', '/callbacks', () => json(200, authy.callbackAttempts()))
    .add('GET', '/activities', () => json(200, authy.activities()))
    .add('GET', '/switches', () => json(200, authy.switches))
    .add('PATCH', '/switches', async (request) => {
      Object.assign(authy.switches, await readJson(request, switches))
      return json(200, authy.switches)
    })
    .add('PUT', '/numbers/:phone', async (request, { phone = '' }) => {
      if (!/^(\+|%2B)[0-9]{6,18}$/i.test(phone)) throw new SandboxError('invalid', 'give the number as + and digits')
      authy.setNumber(phone.replace(/%2B/i, '+'), await readJson(request, numberInfo))
      return json(200, null)
    })
}
