import type { IncomingMessage } from 'node:http'
import { objectBody, type ServiceContext } from './context.js'
import { confirmPhoneCode, sendPhoneCode } from './phone-codes.js'
import { Refusal, type Answer } from './refusal.js'
import { phoneBody, phoneConfirmBody } from './request-schemas.js'
import type { Route } from './routing.js'
import type { PhoneVerification } from './verification.js'

export function phoneRoutes(context: ServiceContext): readonly Route[] {
  const { verification } = context
  if (verification === undefined) return []
  return [
    { method: 'POST', path: '/verification/phone/', handle: ({ req }) => start(context, verification, req) },
    { method: 'POST', path: '/verification/phone/confirm/', handle: ({ req }) => confirm(context, verification, req) },
  ]
}

async function start(context: ServiceContext, verification: PhoneVerification, req: IncomingMessage): Promise<Answer> {
  await sendPhoneCode(context, verification, req, await objectBody(context, req, phoneBody))
  return { status: 200 }
}

async function confirm(
  context: ServiceContext,
  verification: PhoneVerification,
  req: IncomingMessage,
): Promise<Answer> {
  const body = await objectBody(context, req, phoneConfirmBody)
  await confirmPhoneCode(context, verification, req, { body, userId: () => callerOf(context, req) })
  return { status: 200 }
}

// A valid token binds the mark to its user; anything else in the header is not looked at, as in the original.
async function callerOf(context: ServiceContext, req: IncomingMessage): Promise<number | undefined> {
  const match = /^Bearer\s+([A-Za-z0-9_.-]+)$/.exec(req.headers.authorization ?? '')
  if (match === null) return undefined
  try {
    return (await context.tokens.check(match[1] ?? '', 'access')).user.id
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
