import { MessageChannel, type MessagePort } from 'node:worker_threads'

/**
 * Gives the memory of chunks back at once. Each chunk of a socket is a buffer of its own outside the heap, and the
 * collector lets 32 MiB of them (80 MiB in Node 24) pile up before it looks.
 */
export class ChunkMemory {
  #sinceHint = 0

  /** The chunk is empty afterwards. Only for one that nobody else has. */
  free(chunk: Uint8Array): void {
    const { buffer, byteLength } = chunk
    // A part of a larger buffer: who knows what else is in there.
    if (!(buffer instanceof ArrayBuffer) || byteLength === 0 || byteLength !== buffer.byteLength) return
    const transfer: unknown = Reflect.get(buffer, 'transfer')
    if (typeof transfer === 'function') transfer.call(buffer, 0)
    else closedPort().postMessage(null, [buffer])
    this.#sinceHint += byteLength
    if (takesHints && this.#sinceHint >= HINT_EVERY) this.#hint()
  }

  /**
   * What else a chunk leaves behind, on the heap, would be collected when some 16 MiB of it are there. A buffer that is never touched
   * takes no memory, but with 32 MiB it has V8 look through the young objects now, which takes half a millisecond.
   */
  #hint(): void {
    this.#sinceHint = 0
    Buffer.allocUnsafeSlow(HINT_BYTES)
  }
}

const HINT_EVERY = 16 * 1024 * 1024
const HINT_BYTES = 32 * 1024 * 1024
// Later ones count such a buffer towards a full collection instead.
const takesHints = Number.parseInt(process.versions.v8, 10) < 13

let nowhere: MessagePort | undefined

/** Before `ArrayBuffer.prototype.transfer` (Node 20): what is sent to a closed port is taken along, and dropped. */
function closedPort(): MessagePort {
  if (!nowhere) {
    const { port1, port2 } = new MessageChannel()
    port2.close()
    port1.unref()
    nowhere = port1
  }
  return nowhere
}
