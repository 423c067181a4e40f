import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { AttachmentRefusedError, InvalidInputError } from '../errors.js'

export interface FormLimits {
  readonly files: number
  readonly fields: number
}

/** A file while it comes. */
export interface FormFile {
  readonly filename: string
  readonly contentType: string
  /** Fails when the form breaks off in the middle of it. */
  readonly bytes: AsyncIterable<Uint8Array>
}

const FIELD_BYTES = 64 * 1024

/**
 * Reads a form. Files are taken one after the other, and the form waits while one is taken: the browser is slowed down
 * by whoever reads. What a browser sends as an empty file input is no file.
 *
 * @throws {@link InvalidInputError} for what is no form, or one that breaks off; whatever `take` throws.
 */
export async function readForm(
  req: IncomingMessage,
  limits: FormLimits,
  signal: AbortSignal,
  take: (file: FormFile, fields: Readonly<Record<string, string>>) => Promise<void>,
): Promise<{ readonly fields: Readonly<Record<string, string>> }> {
  // Only whoever takes uploads pays for the parser.
  const { default: busboy } = await import('busboy')
  const fields: Record<string, string> = Object.create(null) as Record<string, string>
  const parser = (() => {
    try {
      return busboy({
        headers: req.headers,
        defParamCharset: 'utf8',
        highWaterMark: 256 * 1024,
        fileHwm: 256 * 1024,
        limits: {
          files: limits.files,
          fields: limits.fields,
          fieldSize: FIELD_BYTES,
          parts: limits.files + limits.fields,
          headerPairs: 20,
        },
      })
    } catch (cause) {
      throw new InvalidInputError('body', 'the form has no usable boundary', { cause })
    }
  })()
  await new Promise<void>((resolve, reject) => {
    let taking = Promise.resolve()
    let failed = false
    const fail = (error: unknown): void => {
      failed = true
      req.unpipe(parser)
      parser.destroy()
      reject(error instanceof Error ? error : new InvalidInputError('body', 'the form could not be read'))
    }
    const onAbort = (): void => fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    parser.on('field', (name, value, { valueTruncated, nameTruncated }) => {
      if (valueTruncated || nameTruncated) fail(new InvalidInputError('body', 'a field of the form is too long'))
      fields[name] ??= value
    })
    parser.on('file', (_name, stream: Readable, { filename, mimeType }) => {
      // Without a listener its error would end the process; who reads it sees it anyway.
      stream.on('error', () => undefined)
      const name: string | undefined = filename
      if (failed || !name) return void stream.resume()
      const file = { filename: name, contentType: mimeType, bytes: whole(stream) }
      taking = taking.then(async () => (failed ? undefined : take(file, fields)))
      taking.catch((error: unknown) => {
        stream.destroy()
        fail(error)
      })
    })
    parser.on('filesLimit', () => fail(new AttachmentRefusedError('count', '')))
    parser.on('fieldsLimit', () => fail(new InvalidInputError('body', 'the form has too many fields')))
    parser.on('partsLimit', () => fail(new InvalidInputError('body', 'the form has too many parts')))
    parser.on('error', (cause) => {
      if (!failed) fail(new InvalidInputError('body', 'the form is broken', { cause }))
    })
    parser.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      if (!failed) taking.then(resolve, reject)
    })
    req.pipe(parser)
  })
  return { fields }
}

/** Between two hints to the collector, and the size of a hint. */
const HINT_EVERY = 4 * 1024 * 1024
const HINT_BYTES = 32 * 1024 * 1024
// Later ones count these buffers towards a full collection, which costs more than it frees.
const takesHints = Number.parseInt(process.versions.v8, 10) < 13

async function* whole(stream: Readable): AsyncGenerator<Uint8Array> {
  let unhinted = 0
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
      unhinted += bytes.length
      if (takesHints && unhinted >= HINT_EVERY) {
        unhinted = 0
        hintCollector()
      }
      yield bytes
    }
  } catch (cause) {
    throw new InvalidInputError('body', 'the form broke off', { cause })
  }
}

/**
 * Each chunk of a socket is a new buffer outside the heap, and V8 lets 32 MiB of young ones pile up before it looks. A
 * buffer that is never touched takes no memory, but counts towards that: with one of 32 MiB the next chunk has the young
 * ones collected, which takes half a millisecond. A smaller one would not always reach the limit; two of them, or one with
 * more chunks between, could pass the 64 MiB at which V8 goes through the whole heap instead.
 */
function hintCollector(): void {
  Buffer.allocUnsafeSlow(HINT_BYTES)
}
