import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { ApprovalNotRedeemableError } from '../errors.js'
import { parseOptions } from '../options.js'

/** What was approved of a stream. */
export interface ApprovedContent {
  /** Bytes. */
  readonly size: number
  /** SHA-256 as 64 hexadecimal digits, in lower case. */
  readonly sha256: string
}

const contentSchema = z.strictObject({
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'give 64 hexadecimal digits in lower case'),
})

/**
 * Hands a stream on while it compares it with what was approved: the approval came first, over size and digest, and
 * the bytes come after. The last piece is held back until the digest was found right, so whoever reads this never gets a complete
 * stream that nobody approved.
 *
 * @throws ApprovalNotRedeemableError `binding` at the first byte too many, or at the end.
 */
export async function* approvedStream(
  source: AsyncIterable<Uint8Array>,
  approved: ApprovedContent,
): AsyncGenerator<Uint8Array> {
  const { size, sha256 } = parseOptions(contentSchema, approved, 'approvedStream')
  const hash = createHash('sha256')
  let seen = 0
  let held: Uint8Array | undefined
  for await (const chunk of source) {
    seen += chunk.byteLength
    if (seen > size) throw new ApprovalNotRedeemableError('binding')
    hash.update(chunk)
    if (held) yield held
    held = chunk
  }
  if (seen !== size || !timingSafeEqual(hash.digest(), Buffer.from(sha256, 'hex'))) {
    throw new ApprovalNotRedeemableError('binding')
  }
  if (held) yield held
}
