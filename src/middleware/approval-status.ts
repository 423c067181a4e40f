import { z } from 'zod'
import type { ApprovalHandle, Approvals, ApprovalView } from '../approval/approvals-types.js'
import { ApprovalNotFoundError } from '../errors.js'
import { objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { answerJson, answerProblem } from './http-answer.js'
import {
  accepts,
  fullUrlOf,
  headerOf,
  routeParameter,
  type Handler,
  type HttpRequest,
  type HttpResponse,
} from './http-request.js'
import { detachSession, heldApproval } from './session.js'
import { Waiters } from './waiters.js'

/** What {@link approvalStatus} takes. */
export interface ApprovalStatusOptions {
  readonly approvals: Approvals
  /** The route's parameter that holds the approval's id. Default `id`. */
  readonly parameter?: string | undefined
  /** How many requests of one session may wait at a time. Default 6: a few tabs. More get 429. */
  readonly maxWaiters?: number | undefined
  /** Seconds between two signs of life in an event stream. Default 15. */
  readonly heartbeatSeconds?: number | undefined
  /** The longest that a long poll waits, in seconds. Default 25. */
  readonly longPollSeconds?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

const optionsSchema = z.strictObject({
  approvals: objectWith<Approvals>(['status', 'wait'], 'give what createApprovals made'),
  parameter: z.string().min(1).default('id'),
  maxWaiters: z.number().int().min(1).max(100).default(6),
  heartbeatSeconds: z.number().int().min(1).max(60).default(15),
  longPollSeconds: z.number().int().min(1).max(60).default(25),
  runtime: runtimeOption,
})

// Per session and 10 seconds: enough for a page that asks every second in a few tabs.
const MAX_ASKED = 60
// The store decides that a question has expired; if it doesn't, the stream ends anyway.
const GRACE_MS = 5_000

/**
 * Tells a waiting page how an approval of its session stands: as server-sent events to who accepts
 * `text/event-stream`, else by long poll (`?wait=0` answers at once). Says the state and when it ends, nothing else.
 * The request lets go of its session before it waits, so it never writes an old session back.
 *
 * Answers: 200 with `{ "status", "expiresAt" }`; 404 for an approval of another session, or none; 429 for too many at once;
 * 204 to an event stream that reconnects after the end, which makes the browser stop.
 *
 * @throws InvalidOptionError
 *
 * @example
 * app.get('/approvals/:id/status', approvalStatus({ approvals }))
 */
export function approvalStatus(options: ApprovalStatusOptions): Handler {
  const settings = parseOptions(optionsSchema, options, 'approvalStatus')
  const { approvals } = settings
  const { now } = resolveRuntime(settings.runtime)
  const waiters = new Waiters({ maxActive: settings.maxWaiters, maxAsked: MAX_ASKED }, now)

  async function answer(req: HttpRequest, res: HttpResponse, signal: AbortSignal): Promise<void> {
    const held = heldApproval(req, routeParameter(req, settings.parameter) ?? '')
    const sessionId: unknown = Reflect.get(req, 'sessionID')
    detachSession(req)
    if (held === undefined) {
      notFound(res)
      return
    }
    const leave = waiters.enter(typeof sessionId === 'string' ? sessionId : held.id)
    if (leave === undefined) {
      tooMany(res)
      return
    }
    try {
      const view = await approvals.status(held)
      if (accepts(req, 'text/event-stream')) await stream(req, res, held, view, signal)
      else await poll(req, res, held, view, signal)
    } finally {
      leave()
    }
  }

  async function poll(
    req: HttpRequest,
    res: HttpResponse,
    held: ApprovalHandle,
    view: ApprovalView,
    signal: AbortSignal,
  ): Promise<void> {
    const timeoutMs = Math.min(waitOf(req) ?? settings.longPollSeconds, settings.longPollSeconds) * 1000
    const now = isOpen(view) && timeoutMs > 0 ? await approvals.wait(held, { signal, timeoutMs }) : view
    if (isOpen(now)) res.setHeader('Retry-After', 1)
    answerJson(res, 200, describe(now))
  }

  async function stream(
    req: HttpRequest,
    res: HttpResponse,
    held: ApprovalHandle,
    first: ApprovalView,
    signal: AbortSignal,
  ): Promise<void> {
    let seen = headerOf(req, 'last-event-id')
    if (!isOpen(first) && seen === describe(first).status) {
      res.statusCode = 204
      res.end()
      return
    }
    beginStream(res)
    for (let view = first; ; view = await approvals.wait(held, { signal, timeoutMs: nextLook(view) })) {
      const body = describe(view)
      if (body.status === seen) res.write(': still there\n\n')
      else res.write(`event: status\nid: ${body.status}\ndata: ${JSON.stringify(body)}\n\n`)
      seen = body.status
      if (!isOpen(view) || now() > view.expiresAt.getTime() + GRACE_MS) break
    }
    res.end()
  }

  function nextLook(view: ApprovalView): number {
    return Math.max(100, Math.min(settings.heartbeatSeconds * 1000, view.expiresAt.getTime() - now() + 100))
  }

  return function approvalStatusMiddleware(req, res, next) {
    const gone = new AbortController()
    res.on('close', () => {
      gone.abort()
    })
    answer(req, res, gone.signal).catch((error: unknown) => {
      if (gone.signal.aborted) return
      if (res.headersSent) res.end()
      else if (error instanceof ApprovalNotFoundError) notFound(res)
      else next(error)
    })
  }
}

function beginStream(res: HttpResponse): void {
  res.statusCode = 200
  res.setHeader('Content-Type', 'text/event-stream; charset=utf-8')
  // no-transform keeps compression from holding events back, and X-Accel-Buffering keeps nginx from it.
  res.setHeader('Cache-Control', 'no-store, no-transform')
  res.setHeader('X-Accel-Buffering', 'no')
  res.flushHeaders()
  res.write('retry: 2000\n\n')
}

function describe(view: ApprovalView): { readonly status: string; readonly expiresAt: string } {
  return { status: view.status === 'starting' ? 'pending' : view.status, expiresAt: view.expiresAt.toISOString() }
}

function isOpen(view: ApprovalView): boolean {
  return view.status === 'starting' || view.status === 'pending'
}

function waitOf(req: HttpRequest): number | undefined {
  const wait = /[?&]wait=(\d{1,4})(?:&|$)/.exec(fullUrlOf(req))?.[1]
  return wait === undefined ? undefined : Number(wait)
}

// Alike for an approval of another session and for one that never was.
function notFound(res: HttpResponse): void {
  answerProblem(res, { status: 404, title: 'There is no such approval' })
}

function tooMany(res: HttpResponse): void {
  res.setHeader('Retry-After', 2)
  answerProblem(res, { status: 429, title: 'Too many requests of this session wait already' })
}
