import { z } from 'zod'

// The scenario file: `affo-scenarios/1`. What is not known is left alone, so that later files can say more.

const headers = z.record(z.string(), z.string())

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
  reply: z.looseObject({ status: z.int(), body: z.json().optional(), rawBody: z.string().optional() }).optional(),
  save: z.record(z.string(), z.object({ pointer: z.string(), regex: z.string().optional() })).optional(),
  message: z.string().optional(),
  retry: z.json().optional(),
})

const expectation = z.looseObject({
  status: z.union([z.int(), z.array(z.int())]).optional(),
  contentType: z.string().optional(),
  headers: headers.optional(),
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

export const scenarioFile = z.looseObject({
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
  scenarios: z.array(
    z.looseObject({ name: z.string(), service: z.enum(['user', 'sms', 'email']), steps: z.array(step) }),
  ),
})

export type ScenarioFile = z.output<typeof scenarioFile>
export type Scenario = ScenarioFile['scenarios'][number]
export type Step = z.output<typeof step>
export type RequestStep = z.output<typeof requestStep>
export type Expectation = z.output<typeof expectation>
export type UpstreamEntry = z.output<typeof upstreamEntry>
export type Json = z.infer<ReturnType<typeof z.json>>
