import { z } from 'zod'
import { InvalidOptionError, SandboxError } from '../../errors.js'
import { faultSchema } from '../faults.js'
import { json, type SandboxReply, type SandboxRequest } from '../http-message.js'
import { Router } from '../router.js'
import type { StandInContext } from '../stand-in.js'
import type { PhoneHub } from './hub.js'
import { readJson } from './json-body.js'
import type { PhoneMessage } from './model.js'

const enrolment = z
  .strictObject({
    provider: z.string().optional(),
    link: z.string().max(8192).optional(),
    text: z.string().max(8192).optional(),
    qr: z.string().max(8192).optional(),
    phone: z.string().max(40).optional(),
    countryCode: z.union([z.string().max(6), z.number()]).optional(),
    reference: z.union([z.string().max(100), z.number()]).optional(),
    authyId: z.union([z.string().max(20), z.number()]).optional(),
    name: z.string().max(100).optional(),
  })
  .transform(({ link, text, qr, countryCode, reference, authyId, ...rest }) => ({
    ...rest,
    link: link ?? text ?? qr,
    countryCode: countryCode === undefined ? undefined : String(countryCode),
    reference: (reference ?? authyId)?.toString(),
  }))

const clockMove = z
  .strictObject({
    advanceSeconds: z.number().optional(),
    advanceMs: z.number().optional(),
    now: z.union([z.number(), z.iso.datetime({ offset: true })]).optional(),
    reset: z.literal(true).optional(),
  })
  .refine((move) => Object.keys(move).length === 1, 'give one of advanceSeconds, advanceMs, now or reset')

const presence = z.strictObject({ presence: z.enum(['near', 'away']) })

/** Everything that the page shows, in one object. */
export function phoneState(context: StandInContext): object {
  const { hub, faults, clock } = context
  return {
    now: clock.now(),
    pushes: hub.pushes(),
    messages: hub.messages(),
    devices: hub.devices().map((device) => (device.showsCode ? { ...device, ...hub.code(device.id) } : device)),
    safeboxes: hub.safeBoxes(),
    faults: faults.list(),
  }
}

/** The phone's JSON API. */
export function phoneApi(context: StandInContext): Router {
  const { hub, faults, clock } = context
  return new Router()
    .add('GET', '/api/state', () => json(200, phoneState(context)))
    .add('GET', '/api/pushes', () => json(200, hub.pushes()))
    .add('POST', '/api/pushes/:id/:action', async (_request, { id = '', action = '' }) =>
      json(200, await hub.act(id, action)),
    )
    .add('GET', '/api/messages', ({ rawQuery }) => json(200, messages(hub, new URLSearchParams(rawQuery))))
    .add('DELETE', '/api/messages', () => {
      hub.clearMessages()
      return json(200, [])
    })
    .add('GET', '/api/devices', () => json(200, hub.devices()))
    .add('POST', '/api/devices', async (request) => json(201, await hub.enrol(await readJson(request, enrolment))))
    .add('GET', '/api/devices/:id/code', (_request, { id = '' }) => json(200, hub.code(id)))
    .add('POST', '/api/devices/:id/presence', async (request, { id = '' }) =>
      json(200, hub.setPresence(id, (await readJson(request, presence)).presence)),
    )
    .add('GET', '/api/clock', () => json(200, { now: clock.now() }))
    .add('POST', '/api/clock', async (request) => {
      const move = await readJson(request, clockMove)
      if (move.reset) clock.reset()
      else if (move.now !== undefined) clock.set(typeof move.now === 'number' ? move.now : Date.parse(move.now))
      else clock.advance(move.advanceMs ?? (move.advanceSeconds ?? 0) * 1000)
      return json(200, { now: clock.now() })
    })
    .add('GET', '/api/faults', () => json(200, faults.list()))
    .add('POST', '/api/faults', async (request) => json(201, { id: faults.add(await readJson(request, faultSchema)) }))
    .add('DELETE', '/api/faults', () => {
      faults.clear()
      return json(200, [])
    })
    .add('DELETE', '/api/faults/:id', (_request, { id = '' }) => {
      if (!faults.remove(id)) throw new SandboxError('not-found', 'there is no such fault')
      return json(200, faults.list())
    })
    .add('GET', '/api/safeboxes', () => json(200, hub.safeBoxes()))
}

// A plus sign that nobody has encoded arrives as a blank.
function messages(hub: PhoneHub, query: URLSearchParams): readonly PhoneMessage[] {
  const to = query.get('to')?.toLowerCase().replace(/^ /, '+')
  const kind = query.get('kind')
  return hub
    .messages()
    .filter(
      (message) => (to === undefined || message.to.toLowerCase() === to) && (kind === null || message.kind === kind),
    )
}

const statusOf = { 'not-found': 404, conflict: 409, timeout: 504, invalid: 400, closed: 503 } as const

/** Runs a request of the API; errors become `application/problem+json`. */
export async function answerApi(
  routes: (path: string) => { router: Router; path: string } | undefined,
  request: SandboxRequest,
): Promise<SandboxReply> {
  try {
    const found = routes(request.path)
    const handler = found?.router.find(request.method, found.path)
    if (handler === 'method') return problem(405, 'this method is not possible here')
    if (!handler) return problem(404, 'there is no such route')
    return await handler(request)
  } catch (error) {
    if (error instanceof SandboxError) return problem(statusOf[error.reason], error.message)
    if (error instanceof InvalidOptionError) return problem(400, error.message)
    throw error
  }
}

export function problem(status: number, detail: string): SandboxReply {
  return json(status, { status, detail }, { 'content-type': 'application/problem+json' })
}

/** The router that is responsible for a path under /api: the phone's own, or a provider's switches. */
export function routeTo(api: Router, hub: PhoneHub, path: string): { router: Router; path: string } {
  const [, , provider = ''] = path.split('/')
  const controls = hub.controls(provider)
  return controls ? { router: controls, path: path.slice(`/api/${provider}`.length) } : { router: api, path }
}
