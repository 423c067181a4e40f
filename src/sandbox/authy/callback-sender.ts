import { randomBytes } from 'node:crypto'
import { joinedParameters, signMessage } from '../../providers/authy/signing.js'
import { sandboxApiKeyPrefix } from '../../providers/authy/wire-sandbox.js'
import type { CallbackChange } from '../faults.js'
import type { Answer, Approval } from './approval.js'
import { callbackBody } from './callback-body.js'
import { type Delivered, post } from './callback-request.js'
import { seconds } from './ids.js'
import type { AuthyCallbackTarget } from './options.js'
import type { AuthyState } from './state.js'

const retryAfterMs = [1000, 5000, 25_000]
const timeoutMs = 5000
const keptAttempts = 500

/** One try to deliver a callback, for inspection. */
export interface CallbackAttempt {
  readonly uuid: string
  /** 1 for the first try of this callback. */
  readonly attempt: number
  readonly at: number
  readonly method: 'POST' | 'GET'
  /** As requested: with the query of a GET. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The faults that were applied. */
  readonly changes: readonly CallbackChange[]
  /** Of the answer, when there was one. */
  readonly status?: number
  /** Why there was no answer. */
  readonly error?: string
}

type Prepared = Omit<CallbackAttempt, 'attempt' | 'at' | 'status' | 'error'>

/** Tells the application about answers: signed, repeated on failure, each attempt recorded. */
export class CallbackSender {
  target: AuthyCallbackTarget | undefined
  readonly #state: AuthyState
  #attempts: CallbackAttempt[] = []
  #held: Prepared[] = []
  #running = 0

  constructor(state: AuthyState, target: AuthyCallbackTarget | undefined) {
    this.#state = state
    this.target = target
  }

  /** Oldest first. */
  attempts(): readonly CallbackAttempt[] {
    return this.#attempts
  }

  /** Callbacks that are being sent, or wait to be sent again. */
  get running(): number {
    return this.#running
  }

  /** Sends in the background; nothing fails for the person who answered. */
  send(approval: Approval, answer: Answer): void {
    const { target } = this
    if (!target) return
    this.#running += 1
    this.#deliver(target, approval, answer)
      .catch((error: unknown) => {
        const { signal, logger } = this.#state.context
        if (!signal.aborted) logger.error({ provider: 'authy', error }, 'the sandbox could not send a callback')
      })
      .finally(() => {
        this.#running -= 1
      })
  }

  async #deliver(target: AuthyCallbackTarget, approval: Approval, answer: Answer): Promise<void> {
    const { faults, clock, signal } = this.#state.context
    const changes = faults.takeForCallback('authy')
    const prepare = (): Prepared => this.#prepare(target, approval, answer, changes)
    if (changes.includes('lost')) {
      this.#record({ ...prepare(), attempt: 1, at: this.#state.now(), error: 'lost' })
      return
    }
    if (changes.includes('reordered')) {
      this.#held.push(prepare())
      return
    }
    for (let attempt = 1; ; attempt += 1) {
      const prepared = prepare()
      const done = await this.#try(prepared, attempt)
      if (done && changes.includes('replayed')) await this.#try(prepared, attempt + 1)
      if (done && changes.includes('duplicated')) await this.#try(prepare(), attempt + 1)
      if (done) approval.notified = true
      const pause = retryAfterMs[attempt - 1]
      if (done || pause === undefined) break
      await clock.sleep(pause, signal)
    }
    for (const held of this.#held.splice(0)) await this.#try(held, 1)
  }

  async #try(prepared: Prepared, attempt: number): Promise<boolean> {
    const delivered = await post(prepared, timeoutMs, this.#state.context.signal)
    this.#record({ ...prepared, attempt, at: this.#state.now(), ...delivered })
    return isTaken(delivered)
  }

  #record(attempt: CallbackAttempt): void {
    this.#attempts = [...this.#attempts, attempt].slice(-keptAttempts)
    this.#state.context.hub.changed()
  }

  #prepare(
    target: AuthyCallbackTarget,
    approval: Approval,
    answer: Answer,
    changes: readonly CallbackChange[],
  ): Prepared {
    const method = target.method ?? 'POST'
    const body = callbackBody(this.#state, approval, answer, target.deviceUuid ?? 'integer', changes)
    const query = method === 'GET' ? joinedParameters(body) : undefined
    const nonce = String(seconds(this.#state.now()) - (changes.includes('old-nonce') ? 3600 : 0))
    const apiKey = changes.includes('wrong-key') ? otherKey() : this.#state.settings.apiKey
    const signature = signMessage(apiKey, {
      nonce,
      method,
      url: target.url,
      ...(query === undefined ? { rawBody: body } : { rawQuery: query }),
    })
    return {
      uuid: approval.uuid,
      method,
      url: query === undefined ? target.url : `${target.url}?${query}`,
      headers: {
        ...(query === undefined ? { 'Content-Type': 'application/json' } : {}),
        'User-Agent': 'Authy API',
        'Accept-Encoding': 'gzip',
        ...(changes.includes('no-signature')
          ? {}
          : { 'X-Authy-Signature': changes.includes('wrong-signature') ? altered(signature) : signature }),
        ...(changes.includes('no-nonce') ? {} : { 'X-Authy-Signature-Nonce': nonce }),
      },
      body: query === undefined ? body : '',
      changes,
    }
  }
}

function isTaken({ status }: Delivered): boolean {
  return status !== undefined && status >= 200 && status < 300
}

function otherKey(): string {
  return sandboxApiKeyPrefix + randomBytes(13).toString('hex').slice(0, 25)
}

/** Still 32 bytes in good base64, one bit away from the right ones. */
function altered(signature: string): string {
  const bytes = Buffer.from(signature, 'base64')
  bytes.writeUInt8((bytes[0] ?? 0) ^ 1, 0)
  return bytes.toString('base64')
}
