import { z } from 'zod'
import { json } from '../http-message.js'
import { readJson } from '../phone/json-body.js'
import { Router } from '../router.js'
import type { SendSecureSandbox } from './handle.js'
import { settingsChange } from './options.js'

const opening = z.strictObject({ code: z.string().max(20).optional(), key: z.string().max(200).optional() })

const quirkChanges = z.strictObject({
  noTrailingSlash: z.boolean().optional(),
  absolutePages: z.boolean().optional(),
  oldAutocompleteOnly: z.boolean().optional(),
  resetUploadsAfter: z.array(z.int().min(0)).optional(),
  stallUploadsAfter: z.array(z.int().min(0)).optional(),
})

/**
 * `/api/sendsecure/...` of the phone's JSON API: opening a SafeBox as a recipient, and what the service's console can do.
 */
export function sendSecureControls(sandbox: SendSecureSandbox): Router {
  return new Router()
    .add('GET', '/safeboxes', () => json(200, sandbox.safeboxes()))
    .add('POST', '/safeboxes/:guid/recipients/:who/code', (_request, { guid = '', who = '' }) => {
      sandbox.requestCode(guid, decodeURIComponent(who))
      return json(202, {})
    })
    .add('POST', '/safeboxes/:guid/recipients/:who/open', async (request, { guid = '', who = '' }) => {
      const { code = '', key } = await readJson(request, opening)
      return json(200, sandbox.open(guid, decodeURIComponent(who), { code, key }))
    })
    .add('POST', '/settings', async (request) => {
      sandbox.configure(await readJson(request, settingsChange))
      return json(200, {})
    })
    .add('POST', '/tokens/expire', () => {
      sandbox.expireTokens()
      return json(200, {})
    })
    .add('POST', '/quirks', async (request) => {
      Object.assign(sandbox.quirks, await readJson(request, quirkChanges))
      return json(200, sandbox.quirks)
    })
}
