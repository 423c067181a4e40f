import type { JsonObject, JsonValue } from '../approval/json.js'
import { operations, type Operation } from './openapi-operations.js'
import { componentSchemas } from './openapi-schemas.js'
import type { Schema } from './schema.js'

const problemType = 'application/problem+json'

/**
 * The OpenAPI 3.1 document of the user service. Its request schemas are the very objects that requests are checked
 * with; that its answers are the ones that are given is what a test checks for every answer of the scenarios.
 */
export function openApiDocument(options: { readonly hasPhone: boolean; readonly hasKeySet: boolean }): JsonObject {
  const paths: Record<string, Record<string, JsonValue>> = {}
  for (const operation of operations) {
    if (operation.tag === 'verification' && !options.hasPhone) continue
    if (operation.id === 'keySet' && !options.hasKeySet) continue
    const path = (paths[operation.path] ??= {})
    path[operation.method.toLowerCase()] = describe(operation)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'User service',
      version: '1.0',
      description: 'Accounts, tokens, roles, password reset and phone codes.',
    },
    servers: [{ url: '.' }],
    paths,
    components: {
      schemas: componentSchemas,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function describe(operation: Operation): JsonObject {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [operation.tag],
    ...(operation.bearer ? { security: [{ bearer: [] }] } : {}),
    ...(names.length === 0 ? {} : { parameters: names.map(parameter) }),
    ...(operation.body === undefined ? {} : { requestBody: requestBody(operation.body) }),
    responses: responses(operation),
  }
}

function parameter(name: string): JsonObject {
  const description =
    name === 'user_id' ? 'The decimal id, or `current` (not with DELETE)' : 'Of one of the own sessions'
  return { name, in: 'path', required: true, description, schema: { type: 'string' } }
}

function requestBody(schema: Schema): JsonObject {
  return { required: true, content: { 'application/json': { schema: toJson(schema) } } }
}

function responses(operation: Operation): JsonObject {
  const { success, refusals } = operation
  const content =
    success.schema === undefined
      ? {}
      : { content: { [success.type ?? 'application/json']: { schema: ref(success.schema) } } }
  const entries: (readonly [string, JsonObject])[] = [
    [String(success.status), { description: success.text, ...content }],
  ]
  for (const [status, codes] of Object.entries(refusals)) entries.push([status, refusal(status, codes)])
  return Object.fromEntries(entries)
}

// `problem` stands for a problem document; everything else is a code of the service.
function refusal(status: string, codes: readonly string[]): JsonObject {
  const own = codes.filter((code) => code !== 'problem')
  const content = {
    ...(codes.includes('problem') ? { [problemType]: { schema: ref('Problem') } } : {}),
    ...(own.length === 0
      ? {}
      : {
          'application/json': {
            schema: { allOf: [ref('ServiceError'), { type: 'object', properties: { code: { enum: own } } }] },
          },
        }),
  }
  const headers =
    status === '429' || status === '503' ? { headers: { 'Retry-After': { schema: { type: 'integer' } } } } : {}
  return { description: own.length === 0 ? 'Refused' : own.join(', '), content, ...headers }
}

function ref(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` }
}

function toJson(schema: Schema): JsonObject {
  const { items, properties, type, required, ...rest } = schema
  return {
    ...rest,
    type: typeof type === 'string' ? type : [...type],
    ...(required === undefined ? {} : { required: [...required] }),
    ...(items === undefined ? {} : { items: toJson(items) }),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, toJson(inner)])) }),
  }
}
