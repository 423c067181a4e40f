import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readGateways, type GatewaySettings } from './gateways.js'
import { readProviders, type ProviderSettings } from './providers.js'
import type { SendSecureAccount } from './safebox-service.js'

/** What the environment says. With nothing set, the bank runs on the sandbox and an SQLite file. */
export interface Config {
  /** 0 picks a free one. */
  readonly port: number
  /** The address to listen on. Default: this machine only. */
  readonly host: string
  /** The public address, without a trailing slash: what the provider's callback is configured with. Default: localhost. */
  readonly publicUrl: string | undefined
  readonly dataDir: string
  /** PostgreSQL instead of the SQLite file. */
  readonly databaseUrl: string | undefined
  /** Redis for short-lived state, instead of the database. */
  readonly redisUrl: string | undefined
  /** Signs the session cookie. */
  readonly sessionSecret: string
  /** Signs the tokens of the user service. */
  readonly tokenSecret: string
  /** `quiet`: signing up tells nobody whether there is an account; the rest goes by mail. */
  readonly signUp: 'open' | 'quiet'
  /** The first administrator, who is made at the start. Default: admin@larch.example, and nobody in production. */
  readonly adminEmail: string | undefined
  /** Texts and mails; nothing: the sandbox's. */
  readonly gateways: GatewaySettings | undefined
  /** An Authy application; nothing: the sandbox's, which is started along. */
  readonly authy: { readonly apiKey: string; readonly baseUrl: string | undefined } | undefined
  /** PassBy[ME] and Activeconnect. */
  readonly providers: ProviderSettings
  /** A user at SendSecure, who sends the documents of the bank's customers; nothing: the sandbox's. */
  readonly sendSecure: SendSecureAccount | undefined
  /** The simulated phone of a sandbox that runs already. */
  readonly phoneUrl: string | undefined
  /** How long a push may wait for its answer, in seconds: 30 to 600. */
  readonly pushTtlSeconds: number
  /** How old a look at whether an Activeconnect phone is near may be, in seconds. */
  readonly presenceSeconds: number
  readonly production: boolean
}

/** @throws Error naming the variable that is wrong. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const dataDir = env['DATA_DIR'] ?? join(import.meta.dirname, '..', '.data')
  const production = env['NODE_ENV'] === 'production'
  const apiKey = env['AUTHY_API_KEY']
  return {
    port: wholeNumber(env, 'PORT', 3000),
    host: env['HOST'] ?? 'localhost',
    publicUrl: env['PUBLIC_URL']?.replace(/\/+$/, ''),
    dataDir,
    databaseUrl: env['DATABASE_URL'],
    redisUrl: env['REDIS_URL'],
    sessionSecret: env['SESSION_SECRET'] ?? localSecret('SESSION_SECRET', dataDir, production),
    tokenSecret: env['TOKEN_SECRET'] ?? localSecret('TOKEN_SECRET', dataDir, production),
    signUp: env['SIGN_UP'] === 'quiet' ? 'quiet' : 'open',
    adminEmail: env['ADMIN_EMAIL'] ?? (production ? undefined : 'admin@larch.example'),
    gateways: readGateways(env),
    authy: apiKey === undefined ? undefined : { apiKey, baseUrl: env['AUTHY_URL'] },
    providers: readProviders(env),
    sendSecure: sendSecureAccount(env),
    phoneUrl: env['PHONE_URL'],
    pushTtlSeconds: wholeNumber(env, 'PUSH_TTL_SECONDS', 120),
    presenceSeconds: wholeNumber(env, 'PRESENCE_SECONDS', 10),
    production,
  }
}

function sendSecureAccount(env: NodeJS.ProcessEnv): SendSecureAccount | undefined {
  const { SENDSECURE_ACCOUNT: enterpriseAccount, SENDSECURE_USERNAME: username, SENDSECURE_PASSWORD: password } = env
  if (!enterpriseAccount && !username && !password) return undefined
  if (!enterpriseAccount || !username || !password)
    throw new Error('set all of SENDSECURE_ACCOUNT, SENDSECURE_USERNAME and SENDSECURE_PASSWORD, or none')
  const userEmail = env['SENDSECURE_EMAIL'] ?? username
  if (!userEmail.includes('@')) throw new Error('set SENDSECURE_EMAIL: SENDSECURE_USERNAME is not an e-mail address')
  return { endpoint: env['SENDSECURE_URL'], enterpriseAccount, username, password, userEmail }
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name]
  if (text === undefined || text === '') return fallback
  if (!/^\d{1,5}$/.test(text)) throw new Error(`${name} must be a whole number, not '${text}'`)
  return Number(text)
}

// Kept beside the database, so that sessions and tokens outlive a restart of the example without anybody setting anything up.
function localSecret(name: string, dataDir: string, production: boolean): string {
  if (production) throw new Error(`set ${name}: in production it must not lie beside the data`)
  const file = join(dataDir, name.toLowerCase().replace('_', '-'))
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  try {
    return readFileSync(file, 'utf8')
  } catch {
    const secret = randomBytes(32).toString('base64url')
    writeFileSync(file, secret, { mode: 0o600, flag: 'wx' })
    return secret
  }
}
