import type { IncomingMessage } from 'node:http'
import busboy from 'busboy'

/** The file of a form, while it arrives. */
export interface FormFile {
  readonly filename: string | undefined
  readonly mimeType: string
  readonly bytes: AsyncIterable<Uint8Array>
  /** True when the form came to its end: what follows a file's last byte may come in a packet of its own. */
  readonly whole: () => Promise<boolean>
}

/** The longest head of a part that is looked at. */
const HEAD_LIMIT = 16_384

/** The first file of a multipart form, under whatever field. */
export function firstFile(incoming: IncomingMessage): Promise<FormFile | undefined> {
  let parser: busboy.Busboy
  try {
    parser = busboy({ headers: incoming.headers, defParamCharset: 'utf8', limits: { files: 1 } })
  } catch {
    return Promise.resolve(undefined)
  }
  const ended = new Promise<boolean>((resolve) => {
    parser.on('error', () => resolve(false))
    parser.on('close', () => resolve(true))
  })
  const found = new Promise<FormFile | undefined>((resolve) => {
    parser.on('file', (_field, bytes, { filename, mimeType }) => {
      // Whoever reads it sees its error anyway; but a form may break off before anybody does.
      bytes.on('error', () => undefined)
      resolve({ filename, mimeType, bytes, whole: async () => ended })
    })
    parser.on('close', () => resolve(undefined))
    parser.on('error', () => resolve(undefined))
  })
  incoming.once('error', () => parser.destroy())
  feed(incoming, parser)
  return found
}

/** Pipes the request into the parser, the head of its first part mended. */
function feed(incoming: IncomingMessage, parser: busboy.Busboy): void {
  let head = Buffer.alloc(0)
  const onEnd = (): void => void parser.end(withEscapedName(head))
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    if (head.length < HEAD_LIMIT && !head.includes('\r\n\r\n')) return
    incoming.off('data', onData).off('end', onEnd)
    parser.write(withEscapedName(head))
    // A fault that stalls the upload has paused it; piping would set it going again.
    if (!incoming.isPaused()) incoming.pipe(parser)
  }
  incoming.on('data', onData).once('end', onEnd).resume()
}

// The official Python and Ruby clients write a quotation mark in a file's name as it is, where browsers' forms escape it.
function withEscapedName(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.toString('latin1', 0, end === -1 ? bytes.length : end + 2)
  const escaped = head.replace(/(?<=\bfilename=").*(?="\r\n)/i, (name) =>
    /";\s*(?:name|filename\*)=/i.test(name) ? name : name.replace(/(?<!\\)"/g, '%22'),
  )
  return escaped === head ? bytes : Buffer.concat([Buffer.from(escaped, 'latin1'), bytes.subarray(head.length)])
}
