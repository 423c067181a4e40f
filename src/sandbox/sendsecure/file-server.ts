import { createReadStream } from 'node:fs'
import { header, json, type SandboxHandler, type SandboxReply, type SandboxRequest } from '../http-message.js'
import { settle } from './life.js'
import type { DownloadTicket, UploadTicket } from './model.js'
import { errorReply, notFound } from './replies.js'
import type { SendSecureState } from './state.js'
import { receiveFile } from './receive.js'

/** The file server. Its addresses are opaque, and whoever has one may use it; it looks at no header to know the caller. */
export function fileServer(state: SendSecureState): SandboxHandler {
  return async (request) => {
    if (header(request, 'authorization-token') !== undefined) state.strayTokens += 1
    const path = /^\/xmss\/([^/]+)$/.exec(request.path)?.[1] ?? ''
    if (request.method === 'POST') return upload(state, request, state.uploads.get(path))
    if (request.method === 'GET') return download(state, state.downloads.get(path))
    return notFound()
  }
}

async function upload(
  state: SendSecureState,
  request: SandboxRequest,
  ticket: UploadTicket | undefined,
): Promise<SandboxReply> {
  if (!ticket || ticket.expiresAt <= state.now()) return notFound()
  const file = await receiveFile(state, request, ticket)
  if ('status' in file)
    return file.message === undefined ? errorReply(file.status) : json(file.status, { message: file.message })
  state.files.set(file.id, file)
  return json(200, { temporary_document: { document_guid: file.id } })
}

function download(state: SendSecureState, ticket: DownloadTicket | undefined): SandboxReply {
  if (!ticket || ticket.expiresAt <= state.now() || !state.files.has(ticket.file.id)) return notFound()
  const { file } = ticket
  const box = state.boxes.get(file.guid)
  if (box) settle(state, box)
  // The content may just have gone.
  if (!box || !state.files.has(file.id)) return notFound()
  async function* content(): AsyncGenerator<Uint8Array> {
    const participantId = ticket?.participantId ?? ''
    const seen = box?.downloads.get(participantId) ?? new Map<string, { bytes: number; date: number }>()
    box?.downloads.set(participantId, seen)
    let bytes = 0
    for await (const chunk of createReadStream(file.path)) {
      const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
      // Before it goes out: whoever got the last byte must find the download in the activity.
      bytes += piece.length
      seen.set(file.id, { bytes, date: state.now() })
      yield piece
    }
    state.changed()
  }
  const name = `filename*=UTF-8''${encodeURIComponent(file.name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`
  return {
    status: 200,
    headers: {
      'content-type': file.contentType,
      'content-length': String(file.size),
      'content-disposition': `attachment; ${name}`,
      'x-content-type-options': 'nosniff',
    },
    body: content(),
  }
}
