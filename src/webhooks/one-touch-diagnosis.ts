import type { IncomingMessage } from 'node:http'
import { SigningFault } from '../providers/authy/signing-fault.js'
import { signedUrl } from '../providers/authy/signing-url.js'
import { matchingKey, withMacRoom } from '../providers/authy/signing-mac.js'
import { joinedParameters, readSignature } from '../providers/authy/signing.js'
import type { SignedOneTouchCallback } from './one-touch-signature.js'
import { urlVariants, type Variant } from './url-variants.js'

const unexplained =
  'nothing that was tried fits: most likely another API key (of another application or environment), ' +
  'or something changed the callback on its way, or it is forged'

// However large the callback: what is hashed for one diagnosis in all.
const MOST_BYTES = 4 * 1024 * 1024

/**
 * Says in words what most likely differs between what was signed and what was checked, by trying it. Never says a
 * signature, a key or the string to sign.
 */
export function diagnose(callback: SignedOneTouchCallback, apiKeys: readonly string[], req: IncomingMessage): string {
  const signature = readSignature(callback.signature)
  if (!signature) return unexplained
  const trial = new Trial(signature.bytes)
  try {
    return explain(callback, apiKeys, trial, urlVariants(callback.url, req)) ?? unexplained
  } catch (error) {
    if (error instanceof SigningFault) return unexplained
    throw error
  }
}

function explain(
  callback: SignedOneTouchCallback,
  apiKeys: readonly string[],
  trial: Trial,
  urls: readonly Variant[],
): string | undefined {
  const nonce = String(callback.nonce)
  const method = String(callback.method).toUpperCase()
  const url = signedUrl(callback.url)
  const parameters = method === 'GET' ? (callback.rawQuery ?? '') : joinedParameters(callback.rawBody ?? '')
  const say = (text: string): boolean => trial.fits(text, apiKeys)

  const asSigned = urls.find(({ text }) => say(`${nonce}|${method}|${text}|${parameters}`))
  if (asSigned)
    return `it was signed with ${asSigned.words.join(' and ')}: make callbackUrl the URL configured at the service`
  const changed = parameterVariants(callback, parameters).find(({ text }) => say(`${nonce}|${method}|${url}|${text}`))
  if (changed) return `it was signed over ${changed.words.join(' and ')}`
  const otherMethod = method === 'GET' ? 'POST' : 'GET'
  if (say(`${nonce}|${otherMethod}|${url}|${parameters}`))
    return `it was signed as a ${otherMethod}, but came as a ${method}`
  if (say(`${nonce.trim()}|${method}|${url}|${parameters}`)) return 'white space was added to the nonce on its way'
  const message = `${nonce}|${method}|${url}|${parameters}`
  if (
    trial.fits(
      message,
      apiKeys.map((key) => key.trim().replace(/^(["'])(.*)\1$/, '$2')),
    )
  ) {
    return 'a configured API key has white space or quotation marks around it'
  }
  return undefined
}

/** What intermediaries and wrong implementations make of the parameters. */
function parameterVariants(callback: SignedOneTouchCallback, parameters: string): readonly Variant[] {
  if (String(callback.method).toUpperCase() === 'GET') {
    return [
      {
        text: parameters.replaceAll('%20', '+'),
        words: ['a query with + for spaces: something rewrote the query to %20'],
      },
      {
        text: parameters.replaceAll('+', '%20'),
        words: ['a query with %20 for spaces: something rewrote the query to +'],
      },
      { text: parameters.split('&').sort().join('&'), words: ['a query in another order: something reordered it'] },
    ]
  }
  const body = callback.rawBody === undefined ? '' : Buffer.from(callback.rawBody).toString()
  return [
    { text: reprinted(body), words: ['a body as a JSON parser reprints it (numbers changed), not over its own bytes'] },
    { text: body, words: ['the body as it stands instead of its sorted parameters: the sender is not the service'] },
    {
      text: parameters.replaceAll('+', '%20'),
      words: ['parameters with %20 for spaces: the sender is not the service'],
    },
    { text: '', words: ['no parameters at all: the sender did not see the body it sent, or is a test that made none'] },
  ]
}

function reprinted(body: string): string {
  return joinedParameters(JSON.stringify(JSON.parse(body)))
}

class Trial {
  readonly #signature: Buffer
  #left = MOST_BYTES

  constructor(signature: Buffer) {
    this.#signature = signature
  }

  fits(text: string, apiKeys: readonly string[]): boolean {
    const padded = withMacRoom(text)
    this.#left -= padded.length * apiKeys.length
    return this.#left >= 0 && matchingKey(apiKeys, this.#signature, padded) >= 0
  }
}
