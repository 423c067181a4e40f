import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fixtures } from '../scenarios/fixtures.js'
import { readScenarios, type Read } from '../scenarios/format.js'
import { runScenario } from '../scenarios/runner.js'
import { memoryStores } from '../scenarios/stores.js'

// The command that others will run their files through: what it doesn't understand must show, and nothing else suffer.

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/affo-scenarios.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, unknown>>

function read(scenarios: readonly unknown[]): ReturnType<typeof readScenarios> {
  return readScenarios({ ...vectors, scenarios })
}

async function outcome(scenario: object): Promise<string | undefined> {
  const { file, read: all } = read([{ name: 'one', service: 'user', ...scenario }])
  const [one] = all as readonly [Read]
  return 'problem' in one ? one.problem : runScenario(file, one.scenario, fixtures(file, memoryStores))
}

const json = { 'Content-Type': 'application/json' }
const notFound = { do: 'request', request: { method: 'GET', path: '/api/v1.0/nope/' }, response: { status: 404 } }

test('a scenario that can not be understood fails alone, with what is wrong about it', async () => {
  const { file, read: all } = read([
    { name: 'a step of another kind', service: 'user', steps: [{ do: 'dance' }] },
    { name: 'a service of another kind', service: 'pigeon', steps: [] },
    'no scenario at all',
    { name: 'one that is', service: 'user', steps: [notFound] },
  ])
  expect(all.map((one) => ('problem' in one ? one.problem : 'understood'))).toEqual([
    expect.stringContaining('steps[0].do'),
    expect.stringContaining('service'),
    expect.stringContaining('is not understood'),
    'understood',
  ])
  expect(all.map(({ name }) => name)[2]).toBe('scenario 3')
  const last = all[3]!
  if ('problem' in last) throw new Error(last.problem)
  expect(await runScenario(file, last.scenario, fixtures(file, memoryStores))).toBeUndefined()
})

test('members that nobody looks at are named, remarks are not', () => {
  const step = { ...notFound, note: 'x', retries: 3, request: { ...notFound.request, cookies: {} } }
  const { read: all } = read([
    { name: 'one', service: 'user', see: ['H1'], steps: [step, { do: 'advance', seconds: 1, by: 2 }] },
  ])
  expect(all[0]?.unknown).toEqual(['step 1: retries', 'step 1: request.cookies', 'step 2: by'])
})

test('a matcher or an algorithm that there is not fails its scenario', async () => {
  expect(
    await outcome({
      steps: [
        { ...notFound, response: { body: { type: '<<url>>', title: '<<any>>', status: 404, detail: '<<any>>' } } },
      ],
    }),
  ).toContain('<<url>>')
  expect(await outcome({ steps: [{ do: 'mint', as: 't', alg: 'RS999', claims: {} }] })).toContain('RS999')
})

test('a header of a minted token is added to the usual one, and parts of the settings have names', async () => {
  const header = { typ: 'JWT', alg: 'HS256', color: 'red' }
  const steps = [
    {
      do: 'mint',
      as: 't',
      alg: 'HS256',
      key: 'x',
      header: { color: 'red' },
      claims: { a: '{{config.sms_service.gateways}}' },
    },
    { do: 'decode', token: 't', header, claims: { a: ['twilio', 'clickatell'] } },
  ]
  expect(await outcome({ steps })).toBeUndefined()
})

test('double braces that name nothing are text, as in a template that is to be refused', async () => {
  const body = { email: 'a@example.com', url_template: 'https://app.example.com/{{token}}' }
  const request = { method: 'POST', path: '/api/v1.0/password/reset/', headers: json, body }
  expect(await outcome({ steps: [{ do: 'request', request, response: { status: 400 } }] })).toBeUndefined()
})

test('a gateway whose reply has no status does not answer at all', async () => {
  const request = { method: 'POST', path: '/api/v1.0/verification/phone/', headers: json, body: { phone: '+15559999' } }
  const upstream = [{ service: 'sms', reply: {} }]
  expect(await outcome({ steps: [{ do: 'request', request, response: { status: 503 }, upstream }] })).toBeUndefined()
})

test('a header that must not be there is null', async () => {
  const expected = (headers: object): object => ({ ...notFound, response: { status: 404, headers } })
  expect(
    await outcome({ steps: [expected({ 'X-Powered-By': null, 'X-Content-Type-Options': 'nosniff' })] }),
  ).toBeUndefined()
  expect(await outcome({ steps: [expected({ 'X-Content-Type-Options': null })] })).toContain('nosniff')
})

test('the e-mail gateway signs unsubscribe tokens, whose page lies outside of the base path', async () => {
  const mail = { from_: 'f@example.com', to: ['t@example.com'], subject: 's', html: '', text: '', tag: 'news' }
  const send = { method: 'POST', path: '/api/v1.0/message/', headers: json, body: mail }
  const token = { method: 'GET', path: '/api/v1.0/unsubscribe/t@example.com/token/news/' }
  const steps = [
    { do: 'request', request: token, response: { status: 200, body: { token: '<<string>>' } }, save: { t: '/token' } },
    { do: 'request', request: { method: 'GET', path: '/unsubscribe/{{t}}/' }, response: { status: 200, rawBody: '' } },
    { do: 'request', request: send, response: { status: 201 }, save: { status: '/status' } },
    { do: 'mint', as: 'm', alg: 'none', claims: { status: '{{status}}' } },
    { do: 'decode', token: 'm', claims: { status: 'SKIPPED' } },
  ]
  expect(await outcome({ service: 'email', steps })).toBeUndefined()
})
