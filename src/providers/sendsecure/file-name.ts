import { InvalidInputError } from '../../errors.js'

/**
 * Reduces a name to its last part. Both kinds of slash separate parts, whatever the system: the name may come from a
 * browser on another one. Line breaks stay and are escaped on the wire; other control characters, which nobody can see
 * or type, become underscores.
 *
 * @throws {@link InvalidInputError} if nothing is left, or more than 255 bytes.
 */
export function safeFileName(name: string): string {
  if (typeof name !== 'string') throw new InvalidInputError('filename', 'filename must be text')
  const base =
    name
      .replace(/\p{Cs}/gu, '\ufffd')
      .split(/[\\/]/)
      .at(-1) ?? ''
  const clean = base.replace(/\p{Cc}/gu, (control) => (control === '\r' || control === '\n' ? control : '_'))
  if (clean.trim() === '' || clean === '.' || clean === '..')
    throw new InvalidInputError('filename', 'filename has no name in it')
  if (Buffer.byteLength(clean) > 255) throw new InvalidInputError('filename', 'filename is longer than 255 bytes')
  return clean
}

/** The name as a quoted parameter of a form part: the three escapes of the HTML standard's multipart/form-data rules. */
export function formName(name: string): string {
  return name.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22')
}
