import type { IncomingMessage } from 'node:http'
import { diagnose } from './one-touch-diagnosis.js'
import type { OneTouchSettings } from './one-touch-options.js'
import type { OneTouchRefusal } from './one-touch-reading.js'
import type { SignedOneTouchCallback } from './one-touch-signature.js'

/** Why a callback was refused by the handler. */
export type CallbackRefusal = OneTouchRefusal | 'cut-off'

const sentences: Readonly<Record<CallbackRefusal, string>> = {
  key: 'no API key is configured',
  method: 'it is neither POST nor GET',
  url: 'the configured callback URL is no http or https URL',
  'signature-header':
    'X-Authy-Signature is missing, repeated, or not the base64 of 32 bytes: not from the service, or a proxy dropped the header',
  nonce: 'X-Authy-Signature-Nonce is missing, repeated or empty: not from the service, or a proxy dropped the header',
  query: 'its query is not text',
  'too-large': 'it is larger than any callback (256 KiB)',
  'too-deep': 'its body is nested deeper than any callback (16)',
  'too-many-pairs': 'its body has more values than any callback (2000)',
  'not-utf8': 'its body is not UTF-8: a proxy may have changed it',
  'not-json': 'its body is not JSON: it may be cut',
  'not-object': 'its body is no JSON object: it may be empty or compressed',
  'duplicate-key': 'its body has a key twice, which different parsers read differently',
  'cut-off': 'its body ended before it was complete, or came too slowly',
  signature: 'the signature does not fit',
  stale: 'the nonce is too far from the time here',
  malformed: 'it is signed, but its fields are not those of a callback',
  action: 'it is signed, but is no answer to an approval request',
  status: 'it is signed, but its status is neither approved nor denied',
  'status-differs': 'it is signed, but its two statuses differ',
  application: 'it is signed, but of another application than the configured one',
  expired:
    'it is signed, but the approval request had ended: the answer came too late, or this machine’s clock is ahead',
}

// Trying what would have fitted costs some hundred HMACs: not for everybody who can reach the URL, as often as they like.
const DIAGNOSES = 6
const WINDOW_MS = 60_000

/** What went wrong with a request, as far as it is known. */
export interface Refusal {
  readonly reason: CallbackRefusal
  readonly skewSeconds?: number
}

/** Tells the operator why callbacks are refused. The caller is told nothing. */
export class RefusalLog {
  readonly #settings: OneTouchSettings
  #windowEnds = 0
  #left = 0

  constructor(settings: OneTouchSettings) {
    this.#settings = settings
  }

  /** Logs a refusal and returns the status to answer with: one for all reasons. */
  refuse(refusal: Refusal, req: IncomingMessage, callback?: SignedOneTouchCallback): number {
    const { logger, channel } = this.#settings
    const { reason } = refusal
    const details = { channel, reason, ...this.#advice(refusal, req, callback) }
    logger.warn(details, `a OneTouch callback was refused: ${sentences[reason]}`)
    return 403
  }

  #advice(
    { reason, skewSeconds }: Refusal,
    req: IncomingMessage,
    callback?: SignedOneTouchCallback,
  ): { readonly advice?: string } {
    if (reason === 'stale' && skewSeconds !== undefined) return { advice: clockAdvice(skewSeconds) }
    if (reason !== 'signature' || !callback) return {}
    if (!this.#mayDiagnose()) return { advice: 'not looked into: too many refusals in this minute' }
    return { advice: diagnose(callback, this.#settings.apiKeys, req) }
  }

  #mayDiagnose(): boolean {
    const now = this.#settings.runtime.now()
    // Also when the clock was set back.
    if (now >= this.#windowEnds || now < this.#windowEnds - WINDOW_MS) {
      this.#windowEnds = now + WINDOW_MS
      this.#left = DIAGNOSES
    }
    if (this.#left === 0) return false
    this.#left -= 1
    return true
  }
}

function clockAdvice(skewSeconds: number): string {
  const seconds = Math.round(Math.abs(skewSeconds))
  const direction = skewSeconds > 0 ? 'ahead of' : 'behind'
  return (
    `the signature fits, but the sender’s clock is ${seconds} s ${direction} the clock here: ` +
    'set this machine’s clock (NTP); if it is right, somebody repeats an old callback'
  )
}
