import type { FetchInit, FetchResponse } from '../../src/runtime.js'
import type { Expectation, Json, RequestStep, UpstreamEntry } from './format.js'
import { at, difference, type Variables } from './matching.js'

/** One request that a step is to cause. */
interface Expected {
  readonly services: readonly string[]
  readonly request: UpstreamEntry['request']
  readonly replyFor: (service: string) => NonNullable<UpstreamEntry['reply']>
  readonly save: UpstreamEntry['save']
}

/** Plays everybody whom the service under test sends requests to, and checks what it is sent. */
export class Upstream {
  readonly #hosts: Readonly<Record<string, string>>
  #expected: Expected[] = []
  #problems: string[] = []
  #mayBeNone = false
  #variables: Variables | undefined

  constructor(hosts: Readonly<Record<string, string>>) {
    this.#hosts = hosts
  }

  readonly fetch = async (url: string, init: FetchInit): Promise<FetchResponse> => {
    const service = Object.entries(this.#hosts).find(([, prefix]) => url.startsWith(prefix))?.[0] ?? url
    const expected = this.#expected.shift()
    if (expected === undefined || !expected.services.includes(service)) {
      this.#problems.push(`a request to ${service} was not expected`)
      return response(500, '{}')
    }
    this.#check(expected, service, url, init)
    const reply = expected.replyFor(service)
    if (reply.status === undefined) throw Object.assign(new Error('nobody answers'), { code: 'ECONNREFUSED' })
    return response(reply.status, reply.rawBody ?? (reply.body === undefined ? '' : JSON.stringify(reply.body)))
  }

  expect(step: RequestStep, hardened: Expectation | undefined, variables: Variables): void {
    this.#variables = variables
    this.#problems = []
    this.#expected = expectations(step, hardened)
    // A refusal that says nothing of outbound requests may come before or after them.
    this.#mayBeNone = hardened?.upstream === undefined && [hardened?.status ?? 0].flat().some((status) => status >= 400)
  }

  /** What went wrong since {@link Upstream.expect}. */
  problems(): readonly string[] {
    const missing = (this.#mayBeNone ? [] : this.#expected).map(
      ({ services }) => `no request to ${services.join(' or ')} was sent`,
    )
    return [...this.#problems, ...missing]
  }

  #check({ request, save }: Expected, service: string, url: string, init: FetchInit): void {
    const variables = this.#variables
    if (variables === undefined) return
    const text = typeof init.body === 'string' ? init.body : ''
    const body = parse(text)
    const headers = new Headers({ ...init.headers })
    const checks = [
      request?.url === undefined ? undefined : difference(variables.fill(request.url), url, '/url'),
      request?.method === undefined ? undefined : difference(request.method, init.method, '/method'),
      request?.contentType === undefined
        ? undefined
        : difference(request.contentType, mediaType(headers.get('content-type')), '/contentType'),
      request?.body === undefined ? undefined : difference(variables.fill(request.body), body, '/body'),
      request?.rawBody === undefined ? undefined : rawDifference(variables.fill(request.rawBody), text, headers),
      ...Object.entries(request?.headers ?? {}).map(([name, value]) =>
        difference(variables.fill(value), headers.get(name), `/headers/${name}`),
      ),
    ]
    for (const problem of checks) if (problem !== undefined) this.#problems.push(`request to ${service}: ${problem}`)
    for (const [name, { pointer, regex }] of Object.entries(save ?? {})) {
      const value = at(body, pointer)
      variables.set(name, regex === undefined ? value : new RegExp(regex, 'u').exec(String(value))?.[1])
    }
  }
}

// A form says the same with ~ and with %7E.
function rawDifference(expected: string, actual: string, headers: Headers): string | undefined {
  const isForm = mediaType(headers.get('content-type')) === 'application/x-www-form-urlencoded'
  const normal = (text: string): string => (isForm ? new URLSearchParams(text).toString() : text)
  return difference(normal(expected), normal(actual), '/rawBody')
}

function expectations(step: RequestStep, hardened: Expectation | undefined): Expected[] {
  const recorded = step.upstream ?? []
  const isHardened = hardened !== undefined || step.hardened === undefined
  if (hardened?.upstream === undefined) {
    return recorded.map((entry) => toExpected(isHardened ? withLongCode(entry) : entry))
  }
  return hardened.upstream.map((entry, index) =>
    typeof entry === 'string' ? described(entry, recorded) : toExpected(overridden(recorded[index], entry)),
  )
}

function toExpected(entry: UpstreamEntry): Expected {
  const reply = entry.reply ?? accepted(entry.service)
  return { services: [entry.service], request: entry.request, replyFor: () => reply, save: entry.save }
}

// The original's codes have four digits, and that is what was recorded. H16 of the reference makes them six to eight,
// also in steps whose hardened member speaks only of the answer.
function withLongCode(entry: UpstreamEntry): UpstreamEntry {
  const { request } = entry
  const body = request?.body
  if (request === undefined || typeof body !== 'object' || body === null || Array.isArray(body)) return entry
  const message = body['message']
  if (typeof message !== 'string') return entry
  return { ...entry, request: { ...request, body: { ...body, message: message.replace('[0-9]{4}', '[0-9]{6,8}') } } }
}

function overridden(base: UpstreamEntry | undefined, entry: UpstreamEntry): UpstreamEntry {
  const { message, retry, ...rest } = entry
  const merged = { ...base, ...rest }
  const body = merged.request?.body
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return merged
  const changes = { ...(message === undefined ? {} : { message }), ...(retry === undefined ? {} : { retry }) }
  return { ...merged, request: { ...merged.request, body: { ...body, ...changes } } }
}

// "twilio fails", "clickatell accepts", "twilio or clickatell": which gateways it may be, and how it answers.
function described(text: string, recorded: readonly UpstreamEntry[]): Expected {
  const services = ['twilio', 'clickatell', 'sms', 'email'].filter((name) => text.toLowerCase().includes(name))
  const goesWrong = /fail|refus|reject|down|error|time/i.test(text)
  return {
    services,
    request: undefined,
    save: undefined,
    replyFor: (service) => {
      const reply = recorded.find((entry) => entry.service === service)?.reply
      if (reply !== undefined && (goesWrong || !/accept/i.test(text))) return reply
      return goesWrong ? { status: 500, body: {} } : accepted(service)
    },
  }
}

function accepted(service: string): { status: number; body: Json } {
  return service === 'clickatell'
    ? { status: 202, body: { messages: [{ apiMessageId: 'm1', accepted: true, to: '' }] } }
    : { status: 201, body: {} }
}

function response(status: number, text: string): FetchResponse {
  return {
    status,
    headers: new Headers({ 'content-type': 'application/json' }),
    body: (async function* () {
      yield text
    })(),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function mediaType(type: string | null): string | undefined {
  return type?.split(';')[0]?.trim()
}
