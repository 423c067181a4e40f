import { z } from 'zod'
import { LIMITS, type PassByMeStatus } from '../../providers/passbyme/wire.js'
import { json } from '../http-message.js'
import type { Router } from '../router.js'
import type { Directory } from './directory.js'
import { isOpen, type Messages } from './messages.js'
import { decode, malformed, readBody, serviceError } from './replies.js'

const DEFAULT_SECONDS = 300

const requestSchema = z.object({
  userId: z.string().min(1),
  message: z.string().refine((text) => Array.from(text).length <= LIMITS.authentication),
  timeout: z.int().min(1).max(31_536_000).nullish(),
})

/** The API of 2015: one person, one approval, and bare JSON texts for answers. */
export function addAuthentication(router: Router, messages: Messages, directory: Directory, owner: () => string): void {
  const asker = () => ({ application: owner(), api: 'authentication' }) as const
  router
    .add('POST', '/frontend/authenticationRequest', async (request) => {
      const body = await readBody(request, requestSchema)
      if (!body) return malformed
      const user = directory.byAlias(body.userId)
      // Its errors know no unknown user; somebody without a device is all that the caller learns.
      if (!user || user.devices.length === 0) return serviceError('NO_DEVICE')
      if (user.disabled) return serviceError('USER_DISABLED')
      const question = {
        recipients: [body.userId],
        subject: null,
        body: body.message,
        availability: body.timeout ?? DEFAULT_SECONDS,
        type: 'authorization',
        callbackUrl: null,
      } as const
      return json(200, messages.send(asker(), question, () => user).id)
    })
    .add('GET', '/frontend/authenticationProgress/:id', (_request, { id }) => {
      const message = messages.find(asker(), decode(id))
      const status = message?.recipients[0]?.status
      if (!message || status === undefined || status === 'CANCELLED') return serviceError('INVALID_SESSION_ID')
      return json(200, progressOf(status, messages.isOver(message)))
    })
    .add('DELETE', '/frontend/authenticationCancel/:id', (_request, { id }) => {
      const message = messages.find(asker(), decode(id))
      if (!message) return malformed
      messages.cancel(message)
      return json(200, '')
    })
}

function progressOf(status: PassByMeStatus, isOver: boolean): string {
  if (status === 'APPROVED' || status === 'DENIED') return status
  return isOpen(status) && !isOver ? 'PENDING' : 'TIMEOUT'
}
