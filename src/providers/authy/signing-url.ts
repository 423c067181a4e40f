import { SigningFault } from './signing-fault.js'

const FORM = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#\\@\s]+)((?:\/[^?#]*)?)(?:[?#]|$)/

/**
 * The URL as it is signed: scheme and host in lower case, everything else as it is configured, without query and
 * fragment. Cut as text, because a URL parser drops `:443`, adds a slash and re-encodes the path.
 *
 * @throws {@link SigningFault} `url` if it isn't an `http` or `https` URL, or carries a user name.
 */
export function signedUrl(url: string): string {
  if (url === lastUrl) return lastSigned
  const match = FORM.exec(url)
  const scheme = match?.[1]?.toLowerCase()
  if (match === null || (scheme !== 'https' && scheme !== 'http')) throw new SigningFault('url')
  lastSigned = `${scheme}://${(match[2] ?? '').toLowerCase()}${match[3] ?? ''}`
  lastUrl = url
  return lastSigned
}

// An application has one callback URL: remembering the last one saves every later callback the work.
let lastUrl: string | undefined
let lastSigned = ''
