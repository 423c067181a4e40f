import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { InvalidInputError } from '../../errors.js'
import { isBlob, type Attachment } from './attachment.js'
import { formName } from './file-name.js'

const PIECE = 256 * 1024

/** One try at sending a file: the body of the request, and what is known when it is through. */
export interface MultipartBody {
  readonly contentType: string
  /** Length of the whole body in bytes, when the file's size is known. */
  readonly length: number | undefined
  /** Bytes of the file. */
  readonly fileSize: number | undefined
  /** Read once. A chunk may be overwritten as soon as the next one is asked for, unless `keep` was set. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Digest and count of the file's bytes; complete after the last chunk. */
  digest(): { readonly sha256: string; readonly size: number }
  /** Lets go of the file, also when nobody read to the end. */
  readonly close: () => Promise<void>
}

export interface MultipartOptions {
  readonly boundary: string
  /** Chunks stay valid for ever, for a consumer that collects them. Costs memory. */
  readonly keep: boolean
  readonly onSent: (bytes: number) => void
}

/**
 * The multipart/form-data body with one part `file` (RFC 7578). The file's bytes go through two buffers that are used
 * again and again, and through SHA-256 on their way; memory stays the same whatever the size.
 */
export async function multipartBody(attachment: Attachment, options: MultipartOptions): Promise<MultipartBody> {
  const disposition = `form-data; name="file"; filename="${formName(attachment.filename)}"`
  const part = `Content-Disposition: ${disposition}\r\nContent-Type: ${attachment.contentType}`
  const head = Buffer.from(`--${options.boundary}\r\n${part}\r\n\r\n`)
  const tail = Buffer.from(`\r\n--${options.boundary}--\r\n`)
  const { size, bytes, close } = await openSource(attachment, options.keep)
  const hash = createHash('sha256')
  let count = 0

  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield head
    for await (const chunk of bytes) {
      if (!(chunk instanceof Uint8Array))
        throw new InvalidInputError('source', 'the stream gives text instead of bytes')
      count += chunk.byteLength
      if (size !== undefined && count > size) throw sizeError()
      hash.update(chunk)
      yield chunk
      // Asked for the next one, the consumer is through with this one.
      if (!options.keep) attachment.release?.(chunk)
      options.onSent(count)
    }
    // Fewer bytes than announced: the request must break off, or the server would wait for the rest.
    if (size !== undefined && count !== size) throw sizeError()
    yield tail
  }
  return {
    contentType: `multipart/form-data; boundary=${options.boundary}`,
    length: size === undefined ? undefined : head.length + size + tail.length,
    fileSize: size,
    chunks: chunks(),
    digest: () => ({ sha256: hash.copy().digest('hex'), size: count }),
    close,
  }
}

interface OpenSource {
  readonly size: number | undefined
  readonly bytes: AsyncIterable<Uint8Array>
  readonly close: () => Promise<void>
}

async function openSource({ source, size }: Attachment, keep: boolean): Promise<OpenSource> {
  if (typeof source === 'string') return openFile(source, keep)
  const nothing = async (): Promise<void> => undefined
  if (source instanceof Uint8Array) return { size, bytes: slices(source), close: nothing }
  if (isBlob(source)) return { size, bytes: source.stream(), close: nothing }
  return { size, bytes: typeof source === 'function' ? source() : source, close: nothing }
}

async function openFile(path: string, keep: boolean): Promise<OpenSource> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (cause) {
    throw new InvalidInputError('source', 'the file cannot be opened', { cause })
  }
  const stats = await handle.stat()
  if (!stats.isFile()) {
    await handle.close()
    throw new InvalidInputError('source', 'the path does not lead to a regular file')
  }
  let closed: Promise<void> | undefined
  return { size: stats.size, bytes: fileBytes(handle, keep), close: () => (closed ??= handle.close()) }
}

/** Reads ahead by one: while one buffer is on its way into the socket, the other one is filled. */
async function* fileBytes(handle: FileHandle, keep: boolean): AsyncGenerator<Uint8Array> {
  const pool = [Buffer.allocUnsafeSlow(PIECE), Buffer.allocUnsafeSlow(PIECE)]
  let position = 0
  const read = async (turn: number): Promise<Uint8Array> => {
    const buffer = keep ? Buffer.allocUnsafeSlow(PIECE) : (pool[turn % 2] ?? Buffer.allocUnsafeSlow(PIECE))
    const { bytesRead } = await handle.read(buffer, 0, PIECE, position)
    position += bytesRead
    return buffer.subarray(0, bytesRead)
  }
  let next = read(0)
  try {
    for (let turn = 1; ; turn += 1) {
      const chunk = await next
      if (chunk.byteLength === 0) return
      next = read(turn)
      yield chunk
    }
  } finally {
    // The handle must not be closed under a read that is still running.
    await next.catch(() => undefined)
  }
}

async function* slices(data: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < data.byteLength; from += PIECE) yield data.subarray(from, from + PIECE)
}

function sizeError(): InvalidInputError {
  return new InvalidInputError('size', 'the attachment gave more or fewer bytes than its size says')
}

/** Bytes of a file that is given by its path; undefined for what can't be known without reading it. */
export async function fileSize({ source, size }: Attachment): Promise<number | undefined> {
  if (typeof source !== 'string') return size
  const file = await openFile(source, false)
  await file.close()
  return file.size
}
