import type { JsonObject } from '../approval/json.js'

export function openApiDocument(_options: { readonly hasPhone: boolean }): JsonObject {
  return { openapi: '3.1.0' }
}
