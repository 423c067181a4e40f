import { InvalidOptionError } from '../errors.js'

/**
 * The root of a service outside, without a slash at its end. Over plain HTTP only on loopback: whoever is on the way would
 * read the codes, and the key that sends more of them.
 *
 * @throws {@link InvalidOptionError} for another address, and for the key of a sandbox that would go to the real service.
 */
export function serviceRoot(owner: string, baseUrl: string, secret: string): string {
  const url = new URL(baseUrl)
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
  const refuse = (option: string, what: string): Error => new InvalidOptionError(option, `${owner}: ${what}`)
  if (url.protocol !== 'https:' && !isLoopback) throw refuse('baseUrl', 'give an https URL (http on loopback only)')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw refuse('baseUrl', 'give a URL without user, query and fragment')
  if (secret.startsWith('sandbox') && !isLoopback)
    throw refuse('baseUrl', 'this is the key of a sandbox; give the production key, or the baseUrl of the sandbox')
  return url.href.replace(/\/$/, '')
}
