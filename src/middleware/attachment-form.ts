import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { AttachmentRefusedError, InvalidInputError } from '../errors.js'
import { BodySource } from './body-source.js'
import { FormParts } from './form-parts.js'
import { headerOf } from './http-request.js'

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

type Fields = Readonly<Record<string, string>>
type Take = (file: FormFile, fields: Fields) => Promise<void>

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
  stalled: () => void,
  take: Take,
): Promise<{ readonly fields: Fields }> {
  const boundary = boundaryOf(headerOf(req, 'content-type') ?? '')
  const source = new BodySource(req, stalled)
  try {
    return { fields: await readParts(new FormParts(source, boundary), limits, take) }
  } finally {
    source.release()
  }
}

/** The boundary; the header is read strictly, so that nobody on the way can have found another one in it. */
function boundaryOf(contentType: string): string {
  const parameters =
    /^multipart\/form-data((?:\s*;\s*[\w-]+=(?:[\w'+_./:=?-]+|"[^"\\\r\n]*"))+)\s*$/i.exec(contentType)?.[1] ?? ''
  const found = [...parameters.matchAll(/;\s*([\w-]+)=(?:"([^"]*)"|([^\s;"]+))/g)].filter(
    ([, name]) => name?.toLowerCase() === 'boundary',
  )
  const boundary = found[0]?.[2] ?? found[0]?.[3]
  if (found.length !== 1 || boundary === undefined || !/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary))
    throw new InvalidInputError('body', 'the form has no usable boundary')
  return boundary
}

async function readParts(parts: FormParts, limits: FormLimits, take: Take): Promise<Fields> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>
  const count = { files: 0, fields: 0, parts: 0 }
  for (;;) {
    const head = await parts.head()
    if (head === undefined) return fields
    const { filename, contentType } = await readPart(head)
    count.parts += 1
    if (contentType === undefined) count.fields += 1
    else if (filename !== undefined) count.files += 1
    if (count.files > limits.files) throw new AttachmentRefusedError('count', '')
    if (count.fields > limits.fields) throw new InvalidInputError('body', 'the form has too many fields')
    if (count.parts > limits.files + limits.fields) throw new InvalidInputError('body', 'the form has too many parts')
    if (contentType === undefined) {
      const { name, value } = await readPart(head, await fieldBytes(parts))
      fields[name] ??= value
    } else if (filename !== undefined) {
      await take({ filename, contentType, bytes: parts.content() }, fields)
    }
  }
}

async function fieldBytes(parts: FormParts): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of parts.content()) {
    chunks.push(chunk)
    size += chunk.length
    if (size > FIELD_BYTES) throw new InvalidInputError('body', 'a field of the form is too long')
  }
  return Buffer.concat(chunks)
}

interface Part {
  readonly name: string
  /** Of a file input that was left empty: none. */
  readonly filename: string | undefined
  /** Fields have none. */
  readonly contentType: string | undefined
  readonly value: string
}

// A boundary that nobody outside can write into a head.
const inner = randomBytes(18).toString('hex')

/** What a head says, as the library reads it: of a form that has only this part. */
async function readPart(head: Buffer, content: Buffer = Buffer.alloc(0)): Promise<Part> {
  // Only whoever takes uploads pays for the parser.
  const { default: busboy } = await import('busboy')
  const part = await new Promise<Part | undefined>((resolve) => {
    const headers = { 'content-type': `multipart/form-data; boundary=${inner}` }
    const parser = busboy({ headers, defParamCharset: 'utf8', limits: { fieldSize: FIELD_BYTES + 1 } })
    parser.on('field', (name, value) => resolve({ name, value, filename: undefined, contentType: undefined }))
    parser.on('file', (name, stream: Readable, { filename, mimeType }) => {
      stream.resume()
      resolve({ name, value: '', filename: filename || undefined, contentType: mimeType })
    })
    parser.on('error', () => resolve(undefined))
    parser.on('close', () => resolve(undefined))
    parser.write(`--${inner}\r\n`)
    parser.write(head)
    parser.write('\r\n\r\n')
    parser.write(content)
    parser.end(`\r\n--${inner}--\r\n`)
  })
  if (part === undefined || typeof part.name !== 'string')
    throw new InvalidInputError('body', 'the head of a part is broken')
  return part
}
