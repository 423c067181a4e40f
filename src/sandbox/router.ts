import type { SandboxReply, SandboxRequest } from './http-message.js'

/** The segments of the path that the pattern names, exactly as they came: not decoded. */
export type PathParams = Readonly<Record<string, string>>
export type RouteHandler = (request: SandboxRequest, params: PathParams) => SandboxReply | Promise<SandboxReply>

interface Route {
  readonly method: string
  readonly segments: readonly string[]
  readonly handler: RouteHandler
}

/**
 * Finds a handler by method and raw path. `/users/:id/status` matches one segment for `:id`, whatever stands in it;
 * nothing is decoded and no dots are resolved, because a stand-in that did would hide path injection in a client.
 */
export class Router {
  readonly #routes: Route[] = []

  add(method: string, pattern: string, handler: RouteHandler): this {
    this.#routes.push({ method, segments: pattern.split('/'), handler })
    return this
  }

  /** The handler bound to its parameters; `'method'` when only another method would fit; else undefined. */
  find(method: string, path: string): ((request: SandboxRequest) => Promise<SandboxReply>) | 'method' | undefined {
    const segments = path.split('/')
    let otherMethod = false
    for (const route of this.#routes) {
      const params = match(route.segments, segments)
      if (!params) continue
      if (route.method === method) return async (request) => route.handler(request, params)
      otherMethod = true
    }
    return otherMethod ? 'method' : undefined
  }
}

function match(pattern: readonly string[], segments: readonly string[]): PathParams | undefined {
  if (pattern.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = segment
    else if (part !== segment) return undefined
  }
  return params
}
