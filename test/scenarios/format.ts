import { z } from 'zod'

// The scenario file: `affo-scenarios/1`. What is not known is left alone, so that later files can say more; the command
// names it (`unknownMembers`), because a step that it doesn't understand proves nothing.

const headers = z.record(z.string(), z.string())
// Null: the header must not be there.
const expectedHeaders = z.record(z.string(), z.string().nullable())

const upstreamEntry = z.looseObject({
  service: z.string(),
  request: z
    .looseObject({
      method: z.string().optional(),
      url: z.string().optional(),
      contentType: z.string().optional(),
      headers: headers.optional(),
      body: z.json().optional(),
      rawBody: z.string().optional(),
    })
    .optional(),
  // Without a status nobody answers: the connection fails.
  reply: z
    .looseObject({ status: z.int().optional(), body: z.json().optional(), rawBody: z.string().optional() })
    .optional(),
  save: z.record(z.string(), z.object({ pointer: z.string(), regex: z.string().optional() })).optional(),
  message: z.string().optional(),
  retry: z.json().optional(),
})

const expectation = z.looseObject({
  status: z.union([z.int(), z.array(z.int())]).optional(),
  contentType: z.string().optional(),
  headers: expectedHeaders.optional(),
  body: z.json().optional(),
  rawBody: z.string().optional(),
  upstream: z.array(z.union([z.string(), upstreamEntry])).optional(),
})

const requestStep = z.looseObject({
  do: z.literal('request'),
  request: z.looseObject({
    method: z.string(),
    path: z.string(),
    headers: headers.optional(),
    body: z.json().optional(),
    rawBody: z.string().optional(),
  }),
  response: expectation.optional(),
  hardened: expectation.optional(),
  upstream: z.array(upstreamEntry).optional(),
  save: z.record(z.string(), z.string()).optional(),
})

const step = z.discriminatedUnion('do', [
  requestStep,
  z.looseObject({ do: z.literal('advance'), seconds: z.number() }),
  z.looseObject({ do: z.literal('set'), vars: z.record(z.string(), z.json()) }),
  z.looseObject({
    do: z.literal('mint'),
    as: z.string(),
    alg: z.string(),
    key: z.string().optional(),
    header: z.record(z.string(), z.json()).optional(),
    claims: z.record(z.string(), z.json()),
  }),
  z.looseObject({
    do: z.literal('seed-session'),
    jti: z.string(),
    user: z.union([z.int(), z.string()]),
    state: z.string().default('live'),
  }),
  z.looseObject({
    do: z.literal('decode'),
    token: z.string(),
    header: z.json().optional(),
    claims: z.json().optional(),
    save: z.record(z.string(), z.string()).optional(),
  }),
])

const scenario = z.looseObject({
  name: z.string(),
  service: z.enum(['user', 'sms', 'email']),
  steps: z.array(step),
})

const settings = {
  format: z.literal('affo-scenarios/1'),
  config: z.looseObject({
    base_path: z.string(),
    clock_start_unix: z.int(),
    secret_key: z.string(),
    admin_email: z.string(),
    admin_password: z.string(),
    service_email: z.string(),
    service_password: z.string(),
    sms_api_root_url: z.string(),
    email_api_root_url: z.string(),
    verification_recipient_exceptions: z.array(z.string()),
    verification_recipient_exceptions_token: z.string(),
    sms_service: z.object({
      twilio_account_sid: z.string(),
      twilio_auth_token: z.string(),
      clickatell_api_key: z.string(),
      gateways: z.array(z.string()),
    }),
  }),
  hardened_config: z.looseObject({
    reset_url_origins: z.array(z.string()),
    reset_token_lifetime: z.int(),
    reset_mails_per_hour: z.int(),
    password_min_length: z.int(),
    password_blocklist: z.array(z.string()),
    login_failures_per_window: z.int(),
    login_window: z.int(),
    fresh_session: z.int(),
    refresh_replay_grace: z.int(),
    phone_code_lifetime: z.int(),
    phone_code_attempts: z.int(),
    phone_resend_interval: z.int(),
    phone_codes_per_hour: z.int(),
  }),
}

export const scenarioFile = z.looseObject({ ...settings, scenarios: z.array(scenario) })

export type ScenarioFile = z.output<typeof scenarioFile>
export type Scenario = ScenarioFile['scenarios'][number]
export type Step = z.output<typeof step>
export type RequestStep = z.output<typeof requestStep>
export type Expectation = z.output<typeof expectation>
export type UpstreamEntry = z.output<typeof upstreamEntry>
/** A scenario of a file, or why it can't be run: one that is not understood fails alone. */
export type Read = { readonly name: string; readonly unknown: readonly string[] } & (
  { readonly scenario: Scenario } | { readonly problem: string }
)

/** Reads a file whose scenarios may be of a later format, one by one. */
export function readScenarios(json: unknown): { readonly file: ScenarioFile; readonly read: readonly Read[] } {
  const { scenarios, ...rest } = z.looseObject({ ...settings, scenarios: z.array(z.unknown()) }).parse(json)
  return { file: { ...rest, scenarios: [] }, read: scenarios.map(readOne) }
}

function readOne(json: unknown, index: number): Read {
  const { name } = z
    .looseObject({ name: z.string().catch(`scenario ${index + 1}`) })
    .catch({ name: `scenario ${index + 1}` })
    .parse(json)
  const result = scenario.safeParse(json)
  if (result.success) return { name, unknown: unknownMembers(result.data), scenario: result.data }
  return { name, unknown: [], problem: `is not understood: ${z.prettifyError(result.error)}` }
}

const remarks = ['name', 'note', 'comment', 'see', 'covers', 'origin']
const answer = ['status', 'contentType', 'headers', 'body', 'rawBody']
const sent = ['method', 'url', 'path', 'contentType', 'headers', 'body', 'rawBody']
const knownMembers: Readonly<Record<string, readonly string[]>> = {
  request: ['request', 'response', 'hardened', 'upstream', 'save'],
  advance: ['seconds'],
  set: ['vars'],
  mint: ['as', 'alg', 'key', 'header', 'claims'],
  'seed-session': ['jti', 'user', 'state'],
  decode: ['token', 'header', 'claims', 'save'],
}

function unknownMembers({ steps }: Scenario): readonly string[] {
  return steps.flatMap((each, index) => {
    const look = (part: string, value: object | undefined, known: readonly string[]): readonly string[] =>
      Object.keys(value ?? {})
        .filter((name) => ![...known, ...remarks].includes(name))
        .map((name) => `step ${index + 1}: ${part}${name}`)
    const own = look('', each, ['do', ...(knownMembers[each.do] ?? [])])
    if (each.do !== 'request') return own
    return [
      ...own,
      ...look('request.', each.request, sent),
      ...look('response.', each.response, answer),
      ...look('hardened.', each.hardened, [...answer, 'upstream']),
      ...(each.upstream ?? []).flatMap((entry) => [
        ...look('upstream.', entry, ['service', 'request', 'reply', 'save']),
        ...look('upstream.request.', entry.request, sent),
        ...look('upstream.reply.', entry.reply, answer),
      ]),
    ]
  })
}

export type Json = z.infer<ReturnType<typeof z.json>>
