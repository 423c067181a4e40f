import busboy from 'busboy'
import { header, json, type SandboxHandler, type SandboxReply, type SandboxRequest, text } from '../http-message.js'
import { Router } from '../router.js'
import { sandboxTokenPrefix } from '../../providers/sendsecure/wire.js'
import type { User } from './model.js'
import { notFound } from './replies.js'
import type { SendSecureState } from './state.js'
import { idText, record } from './values.js'

/** The portal: where everything else is, and tokens. */
export function portal(state: SendSecureState): SandboxHandler {
  const slash = (): string => (state.quirks.noTrailingSlash ? '' : '/')
  const known = (enterprise = ''): boolean => decode(enterprise) === state.enterpriseAccount
  const router = new Router()
    .add('GET', '/services/:enterprise/sendsecure/server/url', (_request, { enterprise }) =>
      known(enterprise) ? text(200, state.origins.application + slash()) : text(404, ''),
    )
    .add('GET', '/services/:enterprise/portal/host', (_request, { enterprise }) =>
      known(enterprise) ? text(200, state.origins.portal + slash()) : text(404, ''),
    )
    .add('POST', '/api/user_token', async (request) => userToken(state, await readFields(request)))
  return (request) => {
    if (header(request, 'authorization-token') !== undefined) state.strayTokens += 1
    const route = router.find(request.method, request.path)
    return typeof route === 'function' ? route(request) : notFound()
  }
}

const refused = (status: number, code: number, message: string): SandboxReply =>
  json(status, { result: false, message, code })

function userToken(state: SendSecureState, fields: Readonly<Record<string, string>>): SandboxReply {
  const { permalink, username, password, application_type: type, device_id: device, device_name: name, otp } = fields
  if (permalink !== state.enterpriseAccount) return refused(400, 101, 'invalid permalink')
  const user = state.users.find((candidate) => candidate.username === username)
  if (!user || user.password !== password) return refused(401, 102, 'invalid credentials')
  if (!type) return refused(400, 103, 'application_type missing')
  if (!device) return refused(400, 104, 'device_id missing')
  if (!name) return refused(400, 105, 'device_name missing')
  if (user.oneTimePassword !== undefined) {
    if (!otp) return refused(401, 106, 'one-time password needed')
    if (otp !== user.oneTimePassword) return refused(401, 102, 'invalid credentials')
  }
  return json(200, { result: true, token: issue(state, user, [type, device, name].join('\n')), user_id: user.id })
}

const issued = new WeakMap<SendSecureState, Map<string, string>>()

// The same parameters get the same token. It says where it is from, so that a real client can refuse it elsewhere.
function issue(state: SendSecureState, user: User, device: string): string {
  const tokens = issued.get(state) ?? new Map<string, string>()
  issued.set(state, tokens)
  const id = `${user.id}\n${device}`
  const known = tokens.get(id)
  if (known !== undefined && state.tokens.has(known)) return known
  const digits = state.random(12)
  const groups = [digits.slice(0, 4), `4${digits.slice(5, 8)}`, `a${digits.slice(9, 12)}`, digits.slice(12, 24)]
  const token = `${sandboxTokenPrefix}0-${groups.join('-')}`
  tokens.set(id, token)
  state.tokens.set(token, user)
  return token
}

/** The three encodings that the official clients use. */
async function readFields(request: SandboxRequest): Promise<Readonly<Record<string, string>>> {
  const type = header(request, 'content-type') ?? ''
  if (type.startsWith('multipart/form-data')) return multipartFields(request)
  const body = (await request.body())?.toString('utf8') ?? ''
  if (type.startsWith('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(body))
  const entries = Object.entries(record(parse(body))).map(([name, value]) => [name, idText(value) ?? ''])
  return Object.fromEntries(entries) as Readonly<Record<string, string>>
}

async function multipartFields({ incoming }: SandboxRequest): Promise<Readonly<Record<string, string>>> {
  const fields: Record<string, string> = {}
  await new Promise<void>((resolve) => {
    const parser = busboy({ headers: incoming.headers, limits: { fields: 20, files: 0, fieldSize: 4096 } })
    parser.on('field', (name, value) => (fields[name] = value))
    parser.on('close', resolve).on('error', () => resolve())
    incoming.pipe(parser)
  })
  return fields
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
