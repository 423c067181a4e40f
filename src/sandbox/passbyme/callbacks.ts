import type { StandInContext } from '../stand-in.js'
import { sessionInfo, type Message } from './messages.js'
import { isLoopback } from './messaging-api.js'

const TRIES_AFTER_MS = [1000, 5000, 25_000]
const LIMIT_MS = 5000

/** Calls a message's `callbackUrl`, unsigned, when something changed. Never anything but this machine. */
export function sendCallback(context: StandInContext, message: Message): void {
  const { callbackUrl } = message.body
  if (callbackUrl === null || !isLoopback(new URL(callbackUrl).hostname)) return
  const changes = context.faults.takeForCallback(context.provider)
  if (changes.includes('lost')) return
  const times = changes.includes('duplicated') ? 2 : 1
  // What the body says is what was true when the change happened.
  const body = JSON.stringify(sessionInfo(message))
  for (let time = 0; time < times; time += 1) {
    deliver(context, callbackUrl, body).catch((error: unknown) => {
      if (!context.signal.aborted) context.logger.warn({ error }, 'a callback of the sandbox was not taken')
    })
  }
}

async function deliver(context: StandInContext, url: string, body: string): Promise<void> {
  for (const wait of [0, ...TRIES_AFTER_MS]) {
    if (wait > 0) await context.clock.sleep(wait, context.signal)
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LIMIT_MS)])
    const headers = { 'content-type': 'application/json' }
    const isTaken = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' }).then(
      async (response) => {
        await response.body?.cancel()
        return response.ok
      },
      () => false,
    )
    if (isTaken || context.signal.aborted) return
  }
}
