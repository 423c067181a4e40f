import { SandboxError } from '../../errors.js'
import type { Runtime } from '../../runtime.js'
import type { PhoneHub } from './hub.js'
import type { DeviceCode, Enrolment, PhoneDevice, PhoneMessage, PhonePush, PhoneSafeBox, Presence } from './model.js'

/** Picks pushes: every field given must be equal; `message` may be a pattern. A text is a push's id. */
export type PushFilter = Partial<Pick<PhonePush, 'id' | 'provider' | 'recipient' | 'reference' | 'status'>> & {
  readonly message?: string | RegExp
}

/** Picks messages: every field given must be equal; `text` may be a pattern. */
export type MessageFilter = Partial<Pick<PhoneMessage, 'id' | 'provider' | 'to' | 'kind' | 'code'>> & {
  readonly text?: string | RegExp
}

export interface WaitOptions {
  /** Real milliseconds, 5000 by default. */
  readonly timeoutMs?: number
}

/** The phone in code: what its page and its JSON API do, for tests. */
export class Phone {
  /** Of the page and the JSON API, without a trailing slash. */
  readonly url: string
  readonly #hub: PhoneHub
  readonly #runtime: Pick<Runtime, 'sleep'>

  constructor(hub: PhoneHub, url: string, runtime: Pick<Runtime, 'sleep'>) {
    this.#hub = hub
    this.url = url
    this.#runtime = runtime
  }

  /** Newest first. */
  pushes(filter: PushFilter = {}): readonly PhonePush[] {
    return this.#hub.pushes().filter((push) => fits(push, filter))
  }

  /** Newest first. */
  messages(filter: MessageFilter = {}): readonly PhoneMessage[] {
    return this.#hub.messages().filter((message) => fits(message, filter))
  }

  /** Empties the inbox. */
  clearMessages(): void {
    this.#hub.clearMessages()
  }

  devices(): readonly PhoneDevice[] {
    return this.#hub.devices()
  }

  safeboxes(): readonly PhoneSafeBox[] {
    return this.#hub.safeBoxes()
  }

  /**
   * Presses Approve on a push (itself, its id) or on the newest pending push that fits a filter.
   *
   * @throws {@link SandboxError} `not-found` when none fits, `conflict` when it is answered or over already.
   */
  approve(push: string | PushFilter = {}): Promise<PhonePush> {
    return this.act(push, 'approve')
  }

  /** Presses Deny on the newest pending push that fits. @throws {@link SandboxError} as {@link approve}. */
  deny(push: string | PushFilter = {}): Promise<PhonePush> {
    return this.act(push, 'deny')
  }

  /** Presses any button that the push has, such as `report`. @throws {@link SandboxError} as {@link approve}. */
  async act(push: string | PushFilter, action: string): Promise<PhonePush> {
    if (typeof push === 'string') return this.#hub.act(push, action)
    if (push.id !== undefined) return this.#hub.act(push.id, action)
    const found = this.pushes({ status: 'pending', ...push })[0]
    if (!found) throw new SandboxError('not-found', 'no push fits')
    return this.#hub.act(found.id, action)
  }

  /** Opens a link or scans a QR text. @throws {@link SandboxError} `invalid` when no provider knows it. */
  enrol(enrolment: string | Enrolment): Promise<PhoneDevice> {
    return this.#hub.enrol(typeof enrolment === 'string' ? { link: enrolment } : enrolment)
  }

  /** The one-time code that a device shows now. @throws {@link SandboxError} `not-found`. */
  code(deviceId: string): DeviceCode {
    return this.#hub.code(deviceId)
  }

  /** Carries the phone near the computer, or away. @throws {@link SandboxError} `not-found` or `conflict`. */
  setPresence(deviceId: string, presence: Presence): PhoneDevice {
    return this.#hub.setPresence(deviceId, presence)
  }

  /** Resolves with the newest push that fits, at once or as soon as there is one. @throws {@link SandboxError} `timeout`. */
  waitForPush(filter: PushFilter = {}, options: WaitOptions = {}): Promise<PhonePush> {
    return this.#wait(() => this.pushes({ status: 'pending', ...filter })[0], 'push', options)
  }

  /** Resolves with the newest message that fits, at once or as soon as there is one. @throws {@link SandboxError} `timeout`. */
  waitForMessage(filter: MessageFilter = {}, options: WaitOptions = {}): Promise<PhoneMessage> {
    return this.#wait(() => this.messages(filter)[0], 'message', options)
  }

  async #wait<T>(look: () => T | undefined, what: string, { timeoutMs = 5000 }: WaitOptions): Promise<T> {
    const found = look()
    if (found !== undefined) return found
    const ended = new AbortController()
    try {
      return await new Promise<T>((resolve, reject) => {
        const forget = this.#hub.onChange(() => {
          const now = look()
          if (now !== undefined) resolve(now)
        })
        ended.signal.addEventListener('abort', forget)
        this.#runtime.sleep(timeoutMs, ended.signal).then(
          () => reject(new SandboxError('timeout', `no ${what} that fits arrived within ${timeoutMs} ms`)),
          () => undefined,
        )
      })
    } finally {
      ended.abort()
    }
  }
}

function fits(item: object, filter: object): boolean {
  return Object.entries(filter).every(([key, wanted]) => {
    const value: unknown = Reflect.get(item, key)
    if (wanted instanceof RegExp) return typeof value === 'string' && value.search(wanted) !== -1
    return wanted === undefined || value === wanted
  })
}
