import { InvalidInputError } from '../../errors.js'
import { safeFileName } from './file-name.js'

/** Bytes as they come: a Node stream, a web stream, or any async iterable of chunks. */
export type ByteStream = AsyncIterable<Uint8Array>

/** What we need of a `Blob` or `File`. */
export interface BlobLike {
  readonly size: number
  readonly type: string
  /** Present on a `File`. */
  readonly name?: string
  stream(): ByteStream
}

interface Described {
  /** Sent as the part's content type. Default: by the name's extension, else `application/octet-stream`. */
  readonly contentType?: string | undefined
}

/**
 * A file to be sent. What it is read from decides what else is needed: a path and a `File` have a name of their own,
 * a stream may leave out its size (then the upload is chunked), a function that opens a stream lets a failed upload be
 * repeated. A path, a buffer and a blob can always be read again.
 */
export type AttachmentInput = Described &
  (
    | {
        /** Path of a regular file. */
        readonly source: string
        /** Default: the path's last part. */
        readonly filename?: string | undefined
        readonly size?: undefined
      }
    | { readonly source: Uint8Array; readonly filename: string; readonly size?: undefined }
    | {
        readonly source: BlobLike
        /** Default: the name of the `File`. A `Blob` has none. */
        readonly filename?: string | undefined
        readonly size?: undefined
      }
    | {
        readonly source: ByteStream | (() => ByteStream)
        readonly filename: string
        /** Bytes, exactly. Left out: the upload goes out chunked; a reply refuses such an attachment. */
        readonly size?: number | undefined
        /**
         * Called with each chunk of the stream as soon as it has been sent, to use its memory again. Not called for a chunk
         * that something may still hold: after a failure, and with a `fetch` of your own.
         */
        readonly release?: ((chunk: Uint8Array) => void) | undefined
      }
  )

/** A file that the file server took. */
export interface UploadedAttachment {
  /** The document's id, to be named at commit or in a reply. */
  readonly guid: string
  readonly filename: string
  readonly contentType: string
  /** Bytes that were sent. */
  readonly size: number
  /** SHA-256 of what was sent, 64 hexadecimal digits: what `documents[].sha` of the message must be. */
  readonly sha256: string
}

/** How far an upload is. */
export interface UploadProgress {
  /** The attachment's place in its list, from 0. */
  readonly index: number
  readonly filename: string
  /** Bytes of the file that were handed to the network in this try: it falls back to 0 when a try is repeated. */
  readonly sentBytes: number
  /** Undefined for a stream of unknown size. */
  readonly totalBytes: number | undefined
  /** From 1. */
  readonly attempt: number
}

/** An attachment after its checks: where its bytes come from, and what is known of them. */
export interface Attachment {
  readonly filename: string
  readonly contentType: string
  readonly source: string | Uint8Array | BlobLike | ByteStream | (() => ByteStream)
  /** Undefined until a path's file is looked at, and for streams of unknown size. */
  readonly size: number | undefined
  /** Whether a second try can read it from the start. */
  readonly rereadable: boolean
  readonly release: ((chunk: Uint8Array) => void) | undefined
}

/**
 * Checks what a caller gave, before anything is sent.
 *
 * @throws {@link InvalidInputError} naming the field that is wrong.
 */
export function checkAttachment(input: AttachmentInput): Attachment {
  const { source } = input
  const filename = safeFileName(input.filename ?? ownName(source))
  const contentType = input.contentType ?? ((isBlob(source) && source.type) || typeByExtension(filename))
  // It becomes a line of the part's head: a line break in it would start another one.
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(;[ \t]*[\w!#$&^.+-]+=("[\w !#$&^.+:/-]*"|[\w!#$&^.+-]+))*$/.test(contentType))
    throw new InvalidInputError('contentType', 'contentType is not a media type')
  const release = 'release' in input ? input.release : undefined
  return { filename, contentType, source, release, ...readable(source, input.size ?? undefined) }
}

function readable(source: Attachment['source'], size: number | undefined): Pick<Attachment, 'size' | 'rereadable'> {
  if (typeof source === 'string') return { size: undefined, rereadable: true }
  if (source instanceof Uint8Array) return { size: source.byteLength, rereadable: true }
  if (isBlob(source)) return { size: source.size, rereadable: true }
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0))
    throw new InvalidInputError('size', 'size must be a whole number of bytes, or be left out')
  if (typeof source === 'function') return { size, rereadable: true }
  if (!isByteStream(source))
    throw new InvalidInputError('source', 'source must be a path, bytes, a Blob or File, or a stream of bytes')
  return { size, rereadable: false }
}

function ownName(source: Attachment['source']): string {
  if (typeof source === 'string') return source
  const name = isBlob(source) ? source.name : undefined
  if (name === undefined) throw new InvalidInputError('filename', 'an attachment that is not a file needs a filename')
  return name
}

export function isBlob(source: unknown): source is BlobLike {
  return (
    typeof source === 'object' &&
    source !== null &&
    'size' in source &&
    typeof source.size === 'number' &&
    'stream' in source &&
    typeof source.stream === 'function'
  )
}

function isByteStream(source: unknown): source is ByteStream {
  return typeof source === 'object' && source !== null && Symbol.asyncIterator in source
}

const types: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  gif: 'image/gif',
  htm: 'text/html',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  md: 'text/markdown',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  png: 'image/png',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  rtf: 'application/rtf',
  svg: 'image/svg+xml',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  txt: 'text/plain',
  webp: 'image/webp',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  xml: 'application/xml',
  zip: 'application/zip',
}

function typeByExtension(filename: string): string {
  const extension = /\.([a-z0-9]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? ''
  return (Object.hasOwn(types, extension) ? types[extension] : undefined) ?? 'application/octet-stream'
}
