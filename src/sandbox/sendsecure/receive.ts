import { createHash } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { header, type SandboxRequest } from '../http-message.js'
import { firstFile } from './first-part.js'
import type { StoredFile, UploadTicket } from './model.js'
import type { SendSecureState } from './state.js'
import { record, text, whole } from './values.js'

export interface Refusal {
  readonly status: number
  readonly message: string | undefined
}

interface Incoming {
  readonly name: string
  readonly contentType: string
  readonly bytes: AsyncIterable<Uint8Array>
  /** True when the request came to its end: what follows a file's last byte may come in a packet of its own. */
  readonly whole: () => Promise<boolean>
}

// The industry's harmless test file: every scanner reports it.
const EICAR = Buffer.from('X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*')

/** Takes a file in either of the encodings that official clients use, onto the disk. */
export async function receiveFile(
  state: SendSecureState,
  request: SandboxRequest,
  ticket: UploadTicket,
): Promise<StoredFile | Refusal> {
  cut(state, request.incoming)
  const multipart = (header(request, 'content-type') ?? '').startsWith('multipart/form-data')
  const incoming = multipart ? await formFile(request) : rawBody(request)
  if (!incoming) return { status: 400, message: 'There is no file in the request.' }
  const refusal = extensionRefusal(state, incoming.name)
  return refusal ?? store(state, ticket, incoming)
}

async function store(
  state: SendSecureState,
  ticket: UploadTicket,
  { name, contentType, bytes, whole }: Incoming,
): Promise<StoredFile | Refusal> {
  const id = state.random(16)
  const path = await state.filePath(id)
  const file = await open(path, 'wx', 0o600)
  const hash = createHash('sha256')
  const scanner = new Scanner()
  const limit = sizeLimit(state)
  let size = 0
  let refusal: Refusal | undefined
  try {
    for await (const chunk of bytes) {
      size += chunk.byteLength
      if (size > limit) {
        refusal = { status: 413, message: undefined }
        break
      }
      hash.update(chunk)
      scanner.look(chunk)
      await file.write(chunk)
    }
    if (!refusal && !(await whole())) refusal = { status: 400, message: 'The upload was cut off.' }
  } catch {
    refusal ??= { status: 400, message: 'The upload was cut off.' }
  } finally {
    await file.close()
  }
  if (ticket.size !== undefined && size !== ticket.size)
    refusal ??= { status: 400, message: 'The size is not the one announced.' }
  if (scanner.found && state.settings['virus_scan_enabled'] === true) refusal ??= { status: 422, message: undefined }
  if (!refusal) return { id, guid: ticket.guid, name, contentType, size, sha: hash.digest('hex'), path, used: false }
  await unlink(path)
  return refusal
}

async function formFile({ incoming }: SandboxRequest): Promise<Incoming | undefined> {
  const file = await firstFile(incoming)
  return file && { ...file, name: plainName(file.filename ?? 'unnamed'), contentType: file.mimeType }
}

function rawBody(request: SandboxRequest): Incoming {
  const disposition = header(request, 'content-disposition') ?? ''
  const plain = /filename="([^"]*)"/.exec(disposition)?.[1]
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1]
  const name = encoded === undefined ? (plain ?? 'unnamed') : decodeURIComponent(encoded)
  return {
    name: plainName(name),
    contentType: header(request, 'content-type') ?? 'application/octet-stream',
    bytes: request.incoming,
    whole: async () => request.incoming.complete,
  }
}

/** Undoes the three escapes of HTML forms, and keeps the last part only. */
function plainName(name: string): string {
  const text = name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n')
  return text.split(/[\\/]/).at(-1) ?? text
}

function extensionRefusal({ settings }: SendSecureState, name: string): Refusal | undefined {
  const filter = record(settings['extension_filter'])
  if (!('mode' in filter)) return undefined
  const extension = /\.([^.\s]+)\s*$/.exec(name)?.[1]?.toLowerCase()
  const entries: readonly unknown[] = Array.isArray(filter['list']) ? filter['list'] : []
  const listed = entries.some((entry) => text(entry)?.toLowerCase() === extension)
  const allowed = extension !== undefined && (filter['mode'] === 'forbid' ? !listed : listed)
  return allowed ? undefined : { status: 400, message: 'This type of file is not allowed.' }
}

function sizeLimit({ settings }: SendSecureState): number {
  const value = whole(settings['max_file_size_value'])
  const unit =
    { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }[text(settings['max_file_size_unit'])?.toLowerCase() ?? ''] ?? 1
  return value === undefined ? Number.POSITIVE_INFINITY : value * unit
}

/** Finds the test file also where it lies across two chunks. */
class Scanner {
  found = false
  #tail = Buffer.alloc(0)

  look(chunk: Uint8Array): void {
    if (this.found) return
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const seam = Buffer.concat([this.#tail, bytes.subarray(0, EICAR.length - 1)])
    this.found = seam.includes(EICAR) || bytes.includes(EICAR)
    this.#tail = Buffer.from(
      Buffer.concat([this.#tail, bytes.subarray(-(EICAR.length - 1))]).subarray(-(EICAR.length - 1)),
    )
  }
}

/** Does to this upload what a test asked for: cuts it, or stops reading it. */
function cut({ quirks }: SendSecureState, incoming: IncomingMessage): void {
  const resetAfter = quirks.resetUploadsAfter.shift()
  const stallAfter = resetAfter === undefined ? quirks.stallUploadsAfter.shift() : undefined
  const limit = resetAfter ?? stallAfter
  if (limit === undefined) return
  let seen = 0
  const check = (bytes: number): void => {
    seen += bytes
    if (seen < limit) return
    if (resetAfter !== undefined) incoming.socket.resetAndDestroy()
    else incoming.unpipe().pause()
  }
  if (limit === 0) check(0)
  incoming.on('data', (chunk: Buffer) => check(chunk.length))
  // A listener sets the stream flowing, and nobody else reads yet.
  incoming.pause()
}
