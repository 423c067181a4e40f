import type { IncomingMessage } from 'node:http'
import { authorised, objectBody, optionalString, type ServiceContext } from './context.js'
import { Refusal, refused, tooMany, type Answer } from './refusal.js'
import { loginBody } from './request-schemas.js'
import { stringMember } from './schema.js'
import type { Call, Route } from './routing.js'
import { failed, type Attempt, type SignIn } from './sign-in.js'
import { userView } from './user-view.js'
import type { UserRecord } from './user-store.js'

export function authRoutes(context: ServiceContext, signIn: SignIn): readonly Route[] {
  return [
    { method: 'POST', path: '/auth/login/', handle: ({ req }) => login(context, signIn, req) },
    { method: 'POST', path: '/auth/refresh/', handle: (call) => refresh(context, call) },
    { method: 'POST', path: '/auth/logout/', handle: (call) => logout(context, call) },
    { method: 'GET', path: '/auth/verify_token/', handle: (call) => verifyToken(context, call) },
  ]
}

async function login(context: ServiceContext, signIn: SignIn, req: IncomingMessage): Promise<Answer> {
  const body = await objectBody(context, req, loginBody)
  const secondFactor = optionalString(body, 'second_factor') ?? undefined
  let methods: readonly string[] = ['pwd']
  const { user, client, headers } = await signIn(req, {
    email: stringMember(body, 'email'),
    password: stringMember(body, 'password'),
    andThen: async (attempt, found) => {
      methods = [...methods, ...(await requireSecondFactor(context, attempt, found, secondFactor))]
    },
  })
  const token = await context.tokens.issue(user, client, methods)
  context.emit({ type: 'login', userId: user.id, client })
  return { status: 200, body: { ...userView(user), access_token: token }, headers }
}

// Gives the methods that were proved beside the password.
async function requireSecondFactor(
  context: ServiceContext,
  attempt: Attempt,
  user: UserRecord,
  response: string | undefined,
): Promise<readonly string[]> {
  const { secondFactor } = context
  const challenge = await secondFactor?.challenge(user)
  if (secondFactor === undefined || challenge === undefined) return []
  if (response === undefined) {
    const text = 'Repeat the login with second_factor'
    throw new Refusal({ status: 403, body: { ...challenge, code: 'SecondFactorRequired', description: text } })
  }
  const wait = await context.limits.count('second-factor', String(user.id), context.settings.limits.login)
  if (wait !== undefined) throw tooMany(wait)
  if (!(await secondFactor.verify(user, response))) await failed(context, attempt, user, 'second factor')
  await context.limits.clear('second-factor', String(user.id))
  return [...(secondFactor.amr ?? []), 'mfa']
}

async function refresh(context: ServiceContext, { req }: Call): Promise<Answer> {
  const header = req.headers.authorization ?? ''
  if (header === '') throw refused(401, 'MissingTokenHeader', "JWT token not found in headers under 'Authorization'")
  const match = /^Bearer\s*([A-Za-z0-9_.-]+)/.exec(header)
  if (match === null) throw refused(401, 'InvalidTokenHeader', 'JWT header structure is invalid')
  const { token, user } = await context.tokens.refresh(match[1] ?? '')
  context.emit({ type: 'refresh', userId: user.id, client: context.settings.clientOf(req) })
  return { status: 200, body: { access_token: token } }
}

async function logout(context: ServiceContext, call: Call): Promise<Answer> {
  const end = async (caller: { readonly jti: string; readonly user: UserRecord }): Promise<Answer> => {
    await context.sessions.end(caller.jti, caller.user.id)
    context.emit({ type: 'logout', userId: caller.user.id, client: context.settings.clientOf(call.req) })
    return { status: 204 }
  }
  return authorised(context, call, end, 'logout')
}

async function verifyToken(context: ServiceContext, call: Call): Promise<Answer> {
  return authorised(context, call, async ({ claims, user }) => ({
    status: 200,
    body: { ...claims, rls: user.roles.join(',') },
  }))
}
