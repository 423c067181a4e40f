import { hash, timingSafeEqual } from 'node:crypto'

const BLOCK = 64
const DIGEST = 32

/** How many bytes {@link macOf} needs free before the text. */
export const macRoom = BLOCK

// Computing is synchronous, so these serve all callers. What they hold of a key is wiped after use.
const keyBlock = Buffer.allocUnsafeSlow(BLOCK)
const outer = Buffer.allocUnsafeSlow(BLOCK + DIGEST)
const mac = Buffer.allocUnsafeSlow(DIGEST)

/**
 * HMAC-SHA-256 (RFC 2104) with a key that is text, as two one-shot hashes: an Hmac object for each callback would cost as
 * much again as the hashing itself.
 *
 * @param text - the text, behind {@link macRoom} bytes that are overwritten.
 * @returns 32 bytes that are good until the next call.
 */
export function macOf(apiKey: string, text: Buffer): Buffer {
  fillKeyBlock(apiKey)
  for (let at = 0; at < BLOCK; at += 1) {
    const byte = keyBlock[at] ?? 0
    text[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  // As binary text, because handing out a Buffer costs more than the hash.
  outer.write(hash('sha256', text, 'binary'), BLOCK, 'latin1')
  mac.write(hash('sha256', outer, 'binary'), 0, 'latin1')
  keyBlock.fill(0)
  text.fill(0, 0, BLOCK)
  outer.fill(0)
  return mac
}

function fillKeyBlock(apiKey: string): void {
  keyBlock.fill(0)
  // A key of up to 21 characters fits whatever they are; of most others the length has to be looked at.
  if (apiKey.length * 3 <= BLOCK || Buffer.byteLength(apiKey) <= BLOCK) keyBlock.write(apiKey)
  else keyBlock.write(hash('sha256', apiKey, 'binary'), 'latin1')
}

/**
 * The index of the key that made the signature, or -1. Takes the same time whichever key it is: an early exit would tell
 * an observer which of them is in use.
 */
export function matchingKey(apiKeys: readonly string[], signature: Buffer, text: Buffer): number {
  let matching = -1
  for (let index = 0; index < apiKeys.length; index += 1) {
    const apiKey = apiKeys[index] ?? ''
    // An unset key must never validate anything.
    if (timingSafeEqual(macOf(apiKey, text), signature) && apiKey !== '') matching = index
  }
  return matching
}

/** A text with the room before it that {@link macOf} needs. */
export function withMacRoom(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const buffer = Buffer.allocUnsafe(BLOCK + length)
  buffer.write(text, BLOCK)
  return buffer
}
