import type { RequestListener } from 'node:http'
import express from 'express'
import {
  affoMailSender,
  affoSmsSender,
  argon2Hasher,
  clickatellGateway,
  emailGateway,
  emailKey,
  roundRobin,
  smsGateway,
  twilioGateway,
  userService,
  type EmailGateway,
  type UserServiceOptions,
} from 'passport-outofband/users'
import type { Runtime } from '../../src/runtime.js'
import type { Scenario, ScenarioFile } from './format.js'
import type { Fixture } from './runner.js'
import type { OpenStores, Stores } from './stores.js'

/** The service of a scenario, with the settings that its file names; `extra` brings wire forms back. */
export function fixtures(file: ScenarioFile, open: OpenStores, extra: Partial<UserServiceOptions> = {}) {
  const accounts = provisioned(file)
  return async (scenario: Scenario, runtime: Runtime): Promise<Fixture> => {
    const stores = await open(runtime)
    if (scenario.service !== 'user') return gatewayFixture(file, stores, { service: scenario.service, runtime })
    for (const account of await accounts) await stores.store.insert({ ...account, at: runtime.now() })
    const service = userService({ ...optionsOf(file, stores, runtime), ...extra })
    return {
      listener: express().use(file.config.base_path, service),
      idle: () => service.idle(),
      seedSession: (jti, user, live) => (live ? service.tokens.adopt(jti, user) : Promise.resolve()),
      close: () => stores.close(),
    }
  }
}

function gatewayFixture(
  file: ScenarioFile,
  { state, close }: Stores,
  { service, runtime }: { readonly service: 'sms' | 'email'; readonly runtime: Runtime },
): Fixture {
  const { twilio_account_sid, twilio_auth_token, clickatell_api_key, gateways } = file.config.sms_service
  const known = {
    twilio: () => twilioGateway({ accountSid: twilio_account_sid, authToken: twilio_auth_token, runtime }),
    clickatell: () => clickatellGateway({ apiKey: clickatell_api_key, runtime }),
  }
  const ring = gateways.flatMap((name) => (name === 'twilio' || name === 'clickatell' ? [known[name]()] : []))
  // The recorded requests carry no credential, so these gateways ask for none.
  const sms = (): RequestListener =>
    smsGateway({ sender: roundRobin({ gateways: ring, state, runtime }), credential: false })
  const transport = { deliver: () => Promise.resolve() }
  const email = (): EmailGateway =>
    emailGateway({ transport, state, credential: false, secret: file.config.secret_key, runtime })
  const gateway = service === 'sms' ? sms() : email()
  return {
    // Links in mails lead to pages outside of the base path.
    listener: express().use(file.config.base_path, gateway).use(gateway),
    idle: () => ('idle' in gateway ? gateway.idle() : Promise.resolve()),
    seedSession: () => Promise.reject(new Error('a gateway has no sessions')),
    close,
  }
}

// The two accounts of the fixture, hashed once for all scenarios.
async function provisioned(file: ScenarioFile) {
  const { admin_email, admin_password, service_email, service_password } = file.config
  const hasher = argon2Hasher()
  const account = async (email: string, password: string, role: string) => ({
    email,
    emailKey: emailKey(email),
    phone: null,
    phoneKey: null,
    firstName: null,
    lastName: null,
    passwordHash: await hasher.hash(password),
    isActive: true,
    roles: [role],
  })
  return [
    await account(admin_email, admin_password, 'admin'),
    await account(service_email, service_password, 'service'),
  ]
}

function optionsOf(
  { config, hardened_config: hard }: ScenarioFile,
  stores: Stores,
  runtime: Runtime,
): UserServiceOptions {
  return {
    store: stores.store,
    state: stores.state,
    keys: config.secret_key,
    senders: {
      sms: affoSmsSender({ rootUrl: config.sms_api_root_url, runtime }),
      mail: affoMailSender({ rootUrl: config.email_api_root_url, runtime }),
    },
    tokens: { freshSeconds: hard.fresh_session, graceSeconds: hard.refresh_replay_grace },
    passwords: { minLength: hard.password_min_length, blocklist: hard.password_blocklist },
    reset: { origins: hard.reset_url_origins, lifetimeSeconds: hard.reset_token_lifetime },
    verification: {
      lifetimeSeconds: hard.phone_code_lifetime,
      attempts: hard.phone_code_attempts,
      resendSeconds: hard.phone_resend_interval,
      testNumbers: config.verification_recipient_exceptions,
      testCode: config.verification_recipient_exceptions_token,
    },
    limits: {
      login: { max: hard.login_failures_per_window, windowSeconds: hard.login_window },
      reset: { max: hard.reset_mails_per_hour, windowSeconds: 3600 },
      phone: { max: hard.phone_codes_per_hour, windowSeconds: 3600 },
    },
    runtime,
  }
}
