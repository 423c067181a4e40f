import { exportJWK } from 'jose'
import type { KeyRing } from './keys.js'
import { openApiDocument } from './openapi.js'
import type { Route } from './routing.js'

/** The key set (with asymmetric keys) and the OpenAPI document (where switched on). */
export function specificationRoutes(options: {
  readonly keys: KeyRing
  readonly openapi: boolean
  readonly hasPhone: boolean
}): readonly Route[] {
  return [
    ...(options.keys.all.some(({ alg }) => alg !== 'HS256') ? [jwksRoute(options.keys)] : []),
    ...openApiRoutes(options),
  ]
}

function jwksRoute(keys: KeyRing): Route {
  const published = keys.all.filter(({ alg }) => alg !== 'HS256')
  return {
    method: 'GET',
    path: '/auth/jwks/',
    handle: async () => {
      const all = await Promise.all(
        // The public half only: `verify` holds nothing else.
        published.map(async ({ alg, kid, verify }) => {
          const { kty, n, e, crv, x, y } = await exportJWK(verify)
          const members = Object.entries({ kty, n, e, crv, x, y, alg, kid, use: 'sig' })
          return Object.fromEntries(members.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
        }),
      )
      return {
        status: 200,
        body: { keys: all },
        contentType: 'application/jwk-set+json',
        headers: { 'Cache-Control': 'public, max-age=300' },
      }
    },
  }
}

function openApiRoutes(options: {
  readonly keys: KeyRing
  readonly openapi: boolean
  readonly hasPhone: boolean
}): readonly Route[] {
  if (!options.openapi) return []
  const hasKeySet = options.keys.all.some(({ alg }) => alg !== 'HS256')
  const document = openApiDocument({ hasPhone: options.hasPhone, hasKeySet })
  return [
    { method: 'GET', path: '/openapi.json/', handle: async () => ({ status: 200, body: document }) },
    // Every JSON document is a YAML document.
    {
      method: 'GET',
      path: '/openapi.yaml/',
      handle: async () => ({ status: 200, text: `${JSON.stringify(document, null, 2)}\n`, contentType: 'text/yaml' }),
    },
  ]
}
