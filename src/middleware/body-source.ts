import type { IncomingMessage } from 'node:http'
import { InvalidInputError } from '../errors.js'

/** What waits here while whoever takes it is busy with one piece. */
const WAITING_BYTES = 256 * 1024
/** What came in many small pieces is handed on as one. */
const SMALL_BYTES = 64 * 1024
/** How often `stalled` is called while nothing is taken. */
const STALL_MS = 1000

/**
 * The body of a request, piece by piece as it comes. While nobody takes a piece, nothing more is read, so that the
 * browser is slowed down.
 */
export class BodySource {
  readonly #req: IncomingMessage
  readonly #stalled: () => void
  readonly #waiting: Buffer[] = []
  #waitingBytes = 0
  #over: 'ended' | 'broken' | undefined
  #wake: () => void = () => undefined
  #timer: NodeJS.Timeout | undefined
  readonly #onData = (chunk: Buffer): void => this.#add(chunk)
  readonly #onEnd = (): void => this.#finish('ended')
  readonly #onClose = (): void => this.#finish('broken')

  /** @param stalled - called every second while something waits here and nothing was taken. */
  constructor(req: IncomingMessage, stalled: () => void) {
    this.#req = req
    this.#stalled = stalled
    req.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose)
    // `close` says the same. For ever: without a listener it would end the process.
    req.on('error', () => undefined)
    if (req.destroyed) this.#finish('broken')
  }

  /** The next piece; undefined after the last one. @throws {@link InvalidInputError} when the request breaks off. */
  async next(): Promise<Buffer | undefined> {
    this.#timer?.refresh()
    while (this.#waiting.length === 0) {
      if (this.#over === 'ended') return undefined
      if (this.#over === 'broken') throw new InvalidInputError('body', 'the form broke off')
      this.#req.resume()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const isSmall = this.#waitingBytes <= SMALL_BYTES
    const taken = this.#waiting.splice(0, isSmall ? this.#waiting.length : 1)
    const [first = Buffer.alloc(0)] = taken
    const chunk = taken.length > 1 ? Buffer.concat(taken) : first
    this.#waitingBytes -= chunk.length
    if (this.#waitingBytes < WAITING_BYTES / 2 && this.#over === undefined) this.#req.resume()
    return chunk
  }

  /** Lets go of the request, which is paused then. */
  release(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
    this.#req.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    this.#req.pause()
  }

  #add(chunk: Buffer): void {
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    this.#wake()
    if (this.#waitingBytes < WAITING_BYTES) return
    this.#req.pause()
    this.#timer ??= setInterval(() => {
      if (this.#waitingBytes >= WAITING_BYTES) this.#stalled()
    }, STALL_MS).unref()
  }

  #finish(how: 'ended' | 'broken'): void {
    this.#over ??= how
    clearTimeout(this.#timer)
    this.#wake()
  }
}
