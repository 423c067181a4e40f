import type { IncomingMessage } from 'node:http'
import { ApprovalError, ApprovalNotRedeemableError, AttachmentRefusedError, InvalidInputError } from '../errors.js'
import type { Problem } from './http-answer.js'
import type { HttpResponse } from './http-request.js'

const DRAINED_BYTES = 8 * 1024 * 1024

/** Lets a browser read an answer that comes before its form is through; but it need not send two gigabytes for that. */
export function drain(req: IncomingMessage, res: HttpResponse): void {
  if (req.complete) return
  if (!res.headersSent) res.setHeader('Connection', 'close')
  let read = 0
  req.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > DRAINED_BYTES) req.destroy()
  })
  req.resume()
}

/** What an upload is refused for; undefined for what is not the browser's doing. */
export function refusalFor(error: unknown): Problem | undefined {
  const status = statusOf(error)
  if (status === undefined) return undefined
  const detail = error instanceof Error ? error.message : ''
  const reason =
    error instanceof AttachmentRefusedError ? error.reason : error instanceof ApprovalError ? error.code : undefined
  return { status, title: 'The attachment is refused', detail, reason }
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof AttachmentRefusedError)
    return { extension: 415, size: 413, count: 413, digest: 422 }[error.reason]
  if (error instanceof ApprovalNotRedeemableError) return error.reason === 'binding' ? 422 : 403
  if (error instanceof InvalidInputError)
    return ['body', 'filename', 'size', 'contentType'].includes(error.field) ? 400 : undefined
  // What the file server itself refuses: too large, or a virus.
  if (error instanceof ApprovalError && error.code === 'ERR_PROVIDER_REJECTED' && 'status' in error)
    return error.status === 413 || error.status === 422 ? error.status : undefined
  return undefined
}
