import { createHmac } from 'node:crypto'
import { request as httpRequest, type RequestListener } from 'node:http'
import type { Runtime } from '../../src/runtime.js'
import { listen, type Listening } from '../support/listen.js'
import type { Expectation, Json, RequestStep, Scenario, ScenarioFile, Step } from './format.js'
import { at, difference, Variables } from './matching.js'
import { Upstream } from './upstream.js'

/** What a scenario runs against: a listener, whose outbound requests are checked, or the address of a server elsewhere. */
export type Fixture = Service & ({ readonly listener: RequestListener } | { readonly url: string })

interface Service {
  /** Resolves when all outbound requests have been made. */
  idle(): Promise<void>
  seedSession(jti: string, user: number, live: boolean): Promise<void>
  close(): Promise<void>
}

/** Hears of every request and its answer. */
export type Observe = (exchange: {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly contentType: string | undefined
  readonly body: unknown
  readonly isEmpty: boolean
}) => string | undefined

export type MakeFixture = (scenario: Scenario, runtime: Runtime) => Promise<Fixture>

/** Which of the two answers of a step is expected. */
export type Expect = 'hardened' | 'recorded'

type Server = Pick<Listening, 'url' | 'close'>

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Runs one scenario. Resolves with what went wrong, or undefined. */
export async function runScenario(
  file: ScenarioFile,
  scenario: Scenario,
  makeFixture: MakeFixture,
  expect: Expect = 'hardened',
  observe: Observe = () => undefined,
): Promise<string | undefined> {
  const run = new Run(file, expect, observe)
  const fixture = await makeFixture(scenario, run.runtime)
  const server =
    'url' in fixture ? { url: fixture.url, close: () => Promise.resolve() } : await listen(fixture.listener)
  try {
    for (const [index, step] of scenario.steps.entries()) {
      const problem = await run.step(step, fixture, server).catch((error: unknown) => String(error))
      if (problem !== undefined) return `step ${index + 1}: ${problem}`
    }
    return undefined
  } finally {
    await server.close()
    await fixture.close()
  }
}

class Run {
  readonly runtime: Runtime
  readonly #expect: Expect
  readonly #observe: Observe
  readonly #variables: Variables
  readonly #upstream: Upstream
  #now: number

  constructor(file: ScenarioFile, expect: Expect, observe: Observe) {
    this.#expect = expect
    this.#observe = observe
    this.#variables = new Variables({ config: file.config, hardened_config: file.hardened_config })
    this.#upstream = new Upstream({
      sms: file.config.sms_api_root_url,
      email: file.config.email_api_root_url,
      twilio: 'https://api.twilio.com/',
      clickatell: 'https://platform.clickatell.com/',
    })
    this.#now = file.config.clock_start_unix * 1000
    this.runtime = {
      now: () => this.#now,
      fetch: this.#upstream.fetch,
      sleep: () => Promise.reject(new Error('nothing waits in a scenario')),
      randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
    }
  }

  async step(step: Step, fixture: Fixture, server: Server): Promise<string | undefined> {
    switch (step.do) {
      case 'request':
        return this.#request(step, fixture, server)
      case 'advance':
        this.#now += step.seconds * 1000
        return undefined
      case 'set':
        for (const [name, value] of Object.entries(step.vars)) this.#variables.set(name, this.#variables.fill(value))
        return undefined
      case 'mint':
        this.#variables.set(step.as, mint(this.#variables.fill({ ...step } as Json)))
        return undefined
      case 'seed-session': {
        const user = Number(this.#variables.fill(step.user))
        await fixture.seedSession(this.#variables.text(step.jti), user, step.state === 'live')
        return undefined
      }
      case 'decode':
        return this.#decode(step)
    }
  }

  async #request(step: RequestStep, fixture: Fixture, server: Server): Promise<string | undefined> {
    const hardened = this.#expect === 'hardened' ? step.hardened : undefined
    const expected = hardened ?? step.response ?? {}
    this.#upstream.expect(step, hardened, this.#variables)
    const answer = await send(server, this.#variables, step)
    await fixture.idle()
    const body = parse(answer.text)
    const contentType = answer.headers.get('content-type') ?? undefined
    const { method, path } = step.request
    const exchange = {
      method,
      path: this.#variables.text(path),
      status: answer.status,
      contentType,
      body,
      isEmpty: answer.text === '',
    }
    const upstream = 'url' in fixture ? undefined : this.#upstream.problems()[0]
    const problem = this.#compare(expected, answer, body) ?? upstream ?? this.#observe(exchange)
    if (problem !== undefined) return `${step.request.method} ${step.request.path}: ${problem}`
    for (const [name, pointer] of Object.entries(step.save ?? {})) {
      const value = at(body, pointer)
      if (value !== undefined) this.#variables.set(name, value)
    }
    return undefined
  }

  #compare(expected: Expectation, answer: Answer, body: unknown): string | undefined {
    const statuses = [expected.status ?? answer.status].flat()
    if (!statuses.includes(answer.status)) {
      return `status: expected ${statuses.join(' or ')}, got ${answer.status} ${answer.text.slice(0, 300)}`
    }
    const type = answer.headers.get('content-type')?.split(';')[0]?.trim()
    const wanted = expected.contentType?.split(';')[0]?.trim()
    if (wanted !== undefined && expected.rawBody !== '' && wanted !== type)
      return `contentType: expected ${wanted}, got ${type}`
    for (const [name, value] of Object.entries(expected.headers ?? {})) {
      const wanted = value === null ? null : this.#variables.fill(value)
      const problem = difference(wanted, answer.headers.get(name), `/headers/${name}`)
      if (problem !== undefined) return problem
    }
    if (expected.rawBody !== undefined)
      return difference(this.#variables.fill(expected.rawBody), answer.text, '/rawBody')
    return expected.body === undefined ? undefined : difference(this.#variables.fill(expected.body), body, '/body')
  }

  #decode(step: Extract<Step, { do: 'decode' }>): string | undefined {
    const token = this.#variables.text(`{{${step.token}}}`)
    const [header, claims] = token
      .split('.')
      .slice(0, 2)
      .map((part) => parse(Buffer.from(part, 'base64url').toString()))
    const problem =
      (step.header === undefined ? undefined : difference(this.#variables.fill(step.header), header, '/header')) ??
      (step.claims === undefined ? undefined : difference(this.#variables.fill(step.claims), claims, '/claims'))
    for (const [name, place] of Object.entries(step.save ?? {})) {
      this.#variables.set(name, at(claims, place.startsWith('/') ? place : `/${place}`))
    }
    return problem
  }
}

function mint(step: Json): string {
  const part = (pointer: string): unknown => at(step, pointer)
  const key = part('/key')
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const alg = String(part('/alg'))
  const signed = `${encode({ typ: 'JWT', alg, ...membersOf(part('/header')) })}.${encode(part('/claims'))}`
  if (alg.toLowerCase() === 'none') return `${signed}.`
  const digest = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }[alg]
  if (digest === undefined) throw new Error(`no token can be made with ${alg}`)
  return `${signed}.${createHmac(digest, typeof key === 'string' ? key : '')
    .update(signed)
    .digest('base64url')}`
}

function membersOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

function send(server: Server, variables: Variables, { request }: RequestStep): Promise<Answer> {
  const body =
    request.rawBody === undefined
      ? request.body === undefined
        ? undefined
        : JSON.stringify(variables.fill(request.body))
      : variables.text(request.rawBody)
  const headers = Object.fromEntries(
    Object.entries(request.headers ?? {}).map(([name, value]) => [name, variables.text(value)]),
  )
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const options = { method: request.method, headers: { ...headers, ...length }, agent: false }
    const outgoing = httpRequest(server.url + variables.text(request.path), options, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const answered = new Headers()
        for (const [name, values] of Object.entries(incoming.headersDistinct))
          answered.set(name, (values ?? []).join(', '))
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: incoming.statusCode ?? 0, headers: answered, text })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
