/** A text from another service, fit for one line: no control characters, 200 characters at most; else the other text. */
export function oneLine(value: unknown, otherwise: string): string {
  const text = typeof value === 'string' ? value.slice(0, 200).replaceAll(/\p{C}/gu, ' ').trim() : ''
  return text === '' ? otherwise : text
}
