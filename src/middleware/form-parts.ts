import { InvalidInputError } from '../errors.js'
import type { BodySource } from './body-source.js'

const CRLF = Buffer.from('\r\n')
const END_OF_HEAD = Buffer.from('\r\n\r\n')
const HEAD_BYTES = 8 * 1024

/**
 * Cuts a form (RFC 7578) into its parts, and a part into its head and its content; what a head says is for others to read.
 * Stricter than RFC 2046 where forms need no latitude, so that nobody reads a form in another way: a delimiter is followed
 * by a line break or by the two dashes of the end, and the end of the form by nothing.
 */
export class FormParts {
  readonly #source: BodySource
  readonly #delimiter: Buffer
  // As if the body began with a line break: then the first delimiter is like the others.
  #rest: Buffer = CRLF
  #inContent = true

  constructor(source: BodySource, boundary: string) {
    this.#source = source
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
  }

  /** The head of the next part (what stands before the first one belongs to none), without the empty line at its end; undefined when there are no more parts. */
  async head(): Promise<Buffer | undefined> {
    // What nobody wanted to have.
    for await (const _chunk of this.content()) continue
    await this.#atLeast(2)
    if (this.#rest[0] === 0x2d && this.#rest[1] === 0x2d) return this.#end()
    if (!this.#rest.subarray(0, 2).equals(CRLF)) throw broken('a part of the form begins in the middle of a line')
    for (;;) {
      const end = this.#rest.indexOf(END_OF_HEAD)
      if (end > HEAD_BYTES || (end === -1 && this.#rest.length > HEAD_BYTES))
        throw broken('the head of a part is too long')
      if (end !== -1) return this.#cutHead(end)
      await this.#atLeast(this.#rest.length + 1)
    }
  }

  /** The content of the part whose head was read, or what is left of it. */
  async *content(): AsyncGenerator<Buffer> {
    while (this.#inContent) {
      const at = this.#rest.indexOf(this.#delimiter)
      if (at !== -1) {
        const last = this.#rest.subarray(0, at)
        this.#rest = this.#rest.subarray(at + this.#delimiter.length)
        this.#inContent = false
        if (last.length > 0) yield last
        return
      }
      const free = this.#rest.length - this.#begun()
      const chunk = this.#rest.subarray(0, free)
      this.#rest = this.#rest.subarray(free)
      if (chunk.length > 0) yield chunk
      await this.#atLeast(this.#rest.length + 1)
    }
  }

  async #cutHead(end: number): Promise<Buffer> {
    const head = this.#rest.subarray(0, end)
    this.#rest = this.#rest.subarray(end + END_OF_HEAD.length)
    // A delimiter that shares a line break with the head would be read in two ways.
    const dashed = this.#delimiter.subarray(CRLF.length)
    await this.#atLeast(dashed.length)
    if (end === 0 || head.includes(this.#delimiter) || this.#rest.subarray(0, dashed.length).equals(dashed))
      throw broken('the head of a part is broken')
    this.#inContent = true
    return head.subarray(CRLF.length)
  }

  /** Behind the end of a form stands nothing but a line break: what else might be read there by others. */
  async #end(): Promise<undefined> {
    let rest: Buffer | undefined = this.#rest.subarray(2)
    let after = ''
    for (; rest !== undefined; rest = await this.#source.next()) {
      after += rest.toString('latin1', 0, 3)
      if (rest.length > 2 || !'\r\n'.startsWith(after)) throw broken('something stands behind the end of the form')
    }
    return undefined
  }

  /** How many bytes at the end may be the beginning of a delimiter: its first byte is not found elsewhere in it. */
  #begun(): number {
    const from = Math.max(0, this.#rest.length - this.#delimiter.length + 1)
    const at = this.#rest.lastIndexOf(0x0d)
    if (at < from) return 0
    const end = this.#rest.subarray(at)
    return end.equals(this.#delimiter.subarray(0, end.length)) ? end.length : 0
  }

  async #atLeast(length: number): Promise<void> {
    while (this.#rest.length < length) {
      const chunk = await this.#source.next()
      if (chunk === undefined) throw broken('the form broke off')
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    }
  }
}

function broken(why: string): InvalidInputError {
  return new InvalidInputError('body', why)
}
