import { AttachmentRefusedError } from '../errors.js'
import type { HttpRequest } from './http-request.js'
import { redeemedApproval } from './require-approval.js'

/** What was approved of a file: each may be missing, and none is ever a value that could not have been approved. */
export interface ApprovedFile {
  readonly filename: string | undefined
  readonly size: number | undefined
  readonly sha256: string | undefined
}

/**
 * What the approval that this request came through with names of its file: `filename`, `size` and `sha256` of what is bound.
 * Nothing when there was no approval, or one that names no digest.
 *
 * @throws {@link AttachmentRefusedError} for an approval that names a digest which is none: no file can be the approved one.
 */
export function approvedFile(req: HttpRequest): ApprovedFile | undefined {
  const bound = redeemedApproval(req)?.bound
  if (bound?.['sha256'] === undefined) return undefined
  const { filename, size, sha256 } = bound
  const name = typeof filename === 'string' ? filename : undefined
  const isDigest = typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)
  const isSize = size === undefined || (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0)
  if (!isDigest || !isSize || (filename !== undefined && name === undefined))
    throw new AttachmentRefusedError('digest', name ?? '')
  return { filename: name, size, sha256: sha256.toLowerCase() }
}
