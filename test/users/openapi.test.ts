import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { fixtures } from '../scenarios/fixtures.js'
import { scenarioFile } from '../scenarios/format.js'
import { runScenario, type Observe } from '../scenarios/runner.js'
import { memoryStores } from '../scenarios/stores.js'
import { startService } from './service.js'

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>
  >
  readonly components: object
}

async function document(): Promise<Document> {
  const app = await startService({ openapi: true })
  const json = await app.call('GET', '/openapi.json')
  const yaml = await app.call('GET', '/openapi.yaml')
  expect([json.headers.get('content-type'), yaml.headers.get('content-type')]).toEqual([
    'application/json',
    'text/yaml',
  ])
  expect(JSON.parse(yaml.text)).toEqual(json.body)
  return json.body as unknown as Document
}

/** Says what is wrong with an answer, by the document. */
function checker(spec: Document): Observe {
  const ajv = new Ajv2020({ strict: false, formats: { email: /@/ } })
  const compiled = new Map<object, ReturnType<typeof ajv.compile>>()
  const path = (of: string): string | undefined => {
    const plain = decodeURIComponent(of.split('?')[0] ?? '')
    const wanted = (plain.endsWith('/') ? plain : `${plain}/`).replace('/api/v1.0', '')
    const fits = (template: string): boolean => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(wanted)
    return Object.keys(spec.paths).find(fits)
  }
  return ({ method, path: url, status, contentType, body, isEmpty }) => {
    // The same for all paths, and so not described for each.
    if (method === 'HEAD' || method === 'OPTIONS') return undefined
    const operation = spec.paths[path(url) ?? '']?.[method.toLowerCase()]
    if (operation === undefined)
      return [404, 405].includes(status) ? undefined : `${method} ${url} is not in the document`
    const response = operation.responses[String(status)]
    if (response === undefined) return `${method} ${url}: ${status} is not in the document`
    if (response.content === undefined) return isEmpty ? undefined : `${method} ${url}: ${status} has a body`
    const schema = response.content[(contentType ?? '').split(';')[0] ?? '']?.schema
    if (schema === undefined) return `${method} ${url}: ${status} ${contentType} is not in the document`
    const validate = compiled.get(schema) ?? ajv.compile({ ...schema, components: spec.components })
    compiled.set(schema, validate)
    return validate(body) ? undefined : `${method} ${url}: ${status} ${ajv.errorsText(validate.errors)}`
  }
}

test('the document is OpenAPI 3.1, and says what every answer of every scenario is', { timeout: 60_000 }, async () => {
  const spec = await document()
  expect(spec.openapi).toBe('3.1.0')
  const seen = new Set<string>()
  const check = checker(spec)
  const observe: Observe = (exchange) => {
    seen.add(`${exchange.method} ${exchange.status}`)
    return check(exchange)
  }
  for (const name of ['affo-scenarios', 'affo-scenarios-more']) {
    const path = new URL(`../vectors/${name}.json`, import.meta.url)
    const file = scenarioFile.parse(JSON.parse(readFileSync(path, 'utf8')))
    const makeFixture = fixtures(file, memoryStores)
    for (const scenario of file.scenarios.filter(({ service }) => service === 'user')) {
      expect.soft(await runScenario(file, scenario, makeFixture, 'hardened', observe), scenario.name).toBeUndefined()
    }
  }
  expect(seen.size).toBeGreaterThan(15)
})

test('the checker finds an answer that the document does not know', async () => {
  const check = checker(await document())
  const exchange = { method: 'GET', path: '/user/1/', contentType: 'application/json', isEmpty: false }
  expect(check({ ...exchange, status: 200, body: { id: 1 } })).toContain('must have required property')
  expect(check({ ...exchange, status: 418, body: {} })).toContain('418 is not in the document')
  expect(check({ ...exchange, status: 403, body: { code: 'Other', description: '' } })).toContain(
    'must be equal to one of',
  )
})

test('without the switch there is no document', async () => {
  const app = await startService()
  expect(await app.call('GET', '/openapi.json')).toMatchObject({ status: 404 })
  expect(await app.call('GET', '/openapi.yaml')).toMatchObject({ status: 404 })
})
