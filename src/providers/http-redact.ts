const LONGEST = 200

/** Removes secrets from a text that something else wrote. Longer secrets first, so that no part of one is left over. */
export function redact(text: string, secrets: readonly string[]): string {
  return [...secrets]
    .filter((secret) => secret.length > 0)
    .sort((a, b) => b.length - a.length)
    .reduce(
      (clean, secret) => clean.replaceAll(secret, '[redacted]').replaceAll(encodeURIComponent(secret), '[redacted]'),
      text,
    )
}

/**
 * A provider's own sentence, made fit for an error message: one line, without control and direction-changing
 * characters (log injection), without secrets, 200 characters at most. Undefined if it isn't text.
 */
export function quote(text: unknown, secrets: readonly string[]): string | undefined {
  if (typeof text !== 'string') return undefined
  const line = redact(text.slice(0, 10 * LONGEST), secrets)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
  if (line === '') return undefined
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line
}

/**
 * What may be kept of a lower layer's error as `cause`. Its message and stack are dropped: node-fetch writes the whole
 * URL into them, and with it tokens and ids.
 */
export function safeCause(error: unknown): Error {
  const code = errorCode(error)
  const name = error instanceof Error ? error.name : typeof error
  const cause = new Error(code === undefined ? `${name} without a code` : `${name} ${code}`)
  return code === undefined ? cause : Object.assign(cause, { code })
}

/** The system's or library's code of an error, looked for along its causes. */
export function errorCode(error: unknown): string | undefined {
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth += 1) {
    const code: unknown = Reflect.get(current, 'code')
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return code
    current = Reflect.get(current, 'cause')
  }
  return undefined
}
