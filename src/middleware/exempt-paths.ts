import { fullUrlOf, type HttpRequest } from './http-request.js'

/**
 * Decides whether a path is one of those that need nothing. Paths are compared as they are, letter by letter. One that a
 * router or a file server might read as another path (dots, double slashes, encoded separators) is never exempt.
 */
export function exemptPaths(patterns: readonly string[]): (req: HttpRequest) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  return (req) => {
    const path = fullUrlOf(req).split(/[?#]/)[0] ?? ''
    if (!path.startsWith('/') || /\/\/|\\|\/\.\.?(\/|$)|%2e|%2f|%5c|%00|%25/i.test(path)) return false
    return exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix))
  }
}
