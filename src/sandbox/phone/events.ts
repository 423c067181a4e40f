import type { SandboxReply, SandboxRequest } from '../http-message.js'
import type { StandInContext } from '../stand-in.js'
import { phoneState } from './api.js'

const heartbeatMs = 15_000

/** The live stream of the page: the whole state at once, and again after every change. */
export function events(context: StandInContext, request: SandboxRequest): SandboxReply {
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
    body: stream(context, request.signal),
  }
}

async function* stream(context: StandInContext, signal: AbortSignal): AsyncGenerator<string> {
  const changes = { seen: 0, shown: 0, wake: (): void => undefined }
  const forget = context.hub.onChange(() => {
    changes.seen += 1
    changes.wake()
  })
  signal.addEventListener('abort', () => changes.wake())
  try {
    yield `retry: 1000\n${event(context)}`
    while (!signal.aborted) {
      if (changes.seen === changes.shown) await next(context, changes)
      // Counted before the yield: what changes while the event is on its way is seen at the next turn.
      const { seen } = changes
      yield seen === changes.shown ? ': still here\n\n' : event(context)
      changes.shown = seen
    }
  } finally {
    forget()
  }
}

async function next(context: StandInContext, changes: { wake: () => void }): Promise<void> {
  const timer = new AbortController()
  const woken = new Promise<void>((resolve) => (changes.wake = resolve))
  await Promise.race([woken, context.runtime.sleep(heartbeatMs, timer.signal).catch(() => undefined)])
  timer.abort()
}

function event(context: StandInContext): string {
  return `event: state\ndata: ${JSON.stringify(phoneState(context))}\n\n`
}
