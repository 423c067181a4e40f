import { z } from 'zod'
import { parseOptions, runtimeOption } from '../options.js'
import { randomId } from '../approval/random-id.js'
import { resolveRuntime, type Runtime } from '../runtime.js'
import { headerOf, type Handler, type HttpRequest } from './http-request.js'

/** What {@link deviceCookie} takes. */
export interface DeviceCookieOptions {
  /** False only for plain HTTP on a developer's machine: the cookie then loses its `__Host-` name too. Default true. */
  readonly secure?: boolean | undefined
  /** Days that a browser keeps it. Default 90. */
  readonly maxAgeDays?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

const optionsSchema = z.strictObject({
  secure: z.boolean().default(true),
  maxAgeDays: z.number().int().min(1).max(400).default(90),
  runtime: runtimeOption,
})

const devices = new WeakMap<object, string>()

/**
 * Gives each browser a random value of its own (128 bits, HttpOnly, SameSite=Lax), so that the limits on guessing can
 * tell one that has signed in before from a stranger's. It proves nothing: it is never a factor.
 *
 * @throws InvalidOptionError
 */
export function deviceCookie(options: DeviceCookieOptions = {}): Handler {
  const { secure, maxAgeDays, runtime } = parseOptions(optionsSchema, options, 'deviceCookie')
  const resolved = resolveRuntime(runtime)
  const name = secure ? '__Host-oob-device' : 'oob-device'
  const attributes = `Path=/; Max-Age=${maxAgeDays * 86_400}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  return function deviceCookieMiddleware(req, res, next) {
    const known = cookieOf(req, name)
    const device = known !== undefined && /^[A-Za-z0-9_-]{22}$/.test(known) ? known : randomId(resolved)
    devices.set(req, device)
    if (device !== known) {
      const before = res.getHeader('Set-Cookie')
      const others = before === undefined ? [] : Array.isArray(before) ? before : [String(before)]
      res.setHeader('Set-Cookie', [...others, `${name}=${device}; ${attributes}`])
    }
    next()
  }
}

/** The value that {@link deviceCookie} found or made; nothing if that isn't mounted. */
export function deviceOf(req: object): string | undefined {
  return devices.get(req)
}

function cookieOf(req: HttpRequest, name: string): string | undefined {
  for (const pair of (headerOf(req, 'cookie') ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}
