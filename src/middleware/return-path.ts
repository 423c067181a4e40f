const MAX_LENGTH = 2048
// Nothing real starts with so many layers of percent-encoding.
const MAX_DECODINGS = 5

/**
 * A path on this site to return to, or nothing if the value is anything else: `//host`, `/\host`, `https:host`, encoded
 * forms of these at its start, control characters, or longer than 2048 characters. The result starts with one slash.
 *
 * @example
 * res.redirect(safeReturnPath(req.query.return_to) ?? '/')
 */
export function safeReturnPath(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_LENGTH || !isPath(value)) return undefined
  // What comes after us may decode once more than we think: the path must be one at every layer.
  let decoded = value.split(/[?#]/)[0] ?? ''
  for (let layer = 0; layer < MAX_DECODINGS && decoded.includes('%'); layer += 1) {
    decoded = decodeOnce(decoded)
    if (!isPath(decoded)) return undefined
  }
  if (/%[0-9a-f]{2}/i.test(decoded)) return undefined
  const url = parse(value)
  if (url === undefined || url.host !== BASE_HOST || !isPath(url.pathname)) return undefined
  return url.pathname + url.search + url.hash
}

const BASE_HOST = 'this-site.invalid'

// Browsers read a backslash as a slash and drop tabs and line breaks: `/\host` and `/<TAB>/host` leave the site.
function isPath(text: string): boolean {
  return /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(text)
}

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text.replace(/%(2f|5c|0[9ad])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  }
}

function parse(path: string): URL | undefined {
  try {
    return new URL(path, `http://${BASE_HOST}`)
  } catch {
    return undefined
  }
}
