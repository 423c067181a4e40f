import { channel } from 'node:diagnostics_channel'
import { ApprovalError } from '../errors.js'
import { silentLogger, type Logger } from '../runtime.js'

/**
 * Published on `node:diagnostics_channel` as `passport-outofband:attachments`, once for each form that `sendAttachments` was
 * given. Holds no name of a file or a recipient, and no address or key of the service.
 */
export interface AttachmentEvent {
  /** The application's own user id; undefined if nobody is signed in. */
  readonly subject: string | undefined
  /** `left`: the browser went away before everything was there. */
  readonly result: 'sent' | 'refused' | 'failed' | 'left'
  /** Why it was refused or has failed: `extension`, `size`, `count`, `digest`, or an error's code. */
  readonly reason: string | undefined
  /** Of the SafeBox; undefined when none was begun. */
  readonly guid: string | undefined
  /** Files that the service took. */
  readonly files: number
  /** Their sizes together. */
  readonly bytes: number
  /** Milliseconds since the epoch (UTC). */
  readonly at: number
  readonly durationMs: number
}

const attachments = channel('passport-outofband:attachments')

/** What is told of one form when it is over. */
export class AttachmentRecord {
  guid: string | undefined
  readonly #subject: string | undefined
  readonly #logger: Logger
  readonly #now: () => number
  readonly #startedAt: number
  #files = 0
  #bytes = 0
  #ended = false

  constructor(subject: string | undefined, logger: Logger | undefined, now: () => number) {
    this.#subject = subject
    this.#logger = logger ?? silentLogger
    this.#now = now
    this.#startedAt = now()
  }

  uploaded(bytes: number): void {
    this.#files += 1
    this.#bytes += bytes
  }

  /** Only the first time counts: what comes after `sent` is about the answer. */
  end(result: AttachmentEvent['result'], why?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    const at = this.#now()
    const event: AttachmentEvent = {
      subject: this.#subject,
      result,
      reason: result === 'sent' ? undefined : reasonOf(why),
      guid: this.guid,
      files: this.#files,
      bytes: this.#bytes,
      at,
      durationMs: Math.max(0, at - this.#startedAt),
    }
    this.#logger[result === 'failed' ? 'warn' : 'info'](
      { ...event, at: new Date(at).toISOString() },
      `upload ${result}`,
    )
    if (attachments.hasSubscribers) attachments.publish(event)
  }
}

function reasonOf(why: unknown): string {
  if (why instanceof ApprovalError) return why.code
  const reason: unknown = typeof why === 'object' && why !== null ? Reflect.get(why, 'reason') : undefined
  return typeof reason === 'string' ? reason : 'other'
}
