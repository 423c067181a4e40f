import { InvalidOptionError } from '../errors.js'
import { parseOptions } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import type { UserAccounts } from './accounts.js'
import { createAccounts } from './accounts-service.js'
import { Background } from './background.js'
import type { ServiceContext, ServiceSettings } from './context.js'
import { Devices } from './devices.js'
import type { UserEvent } from './events.js'
import { createKeyRing, type KeyRing } from './keys.js'
import { clientAddress, Limits } from './limits.js'
import { argon2Hasher, Passwords, QueueFullError } from './password-hasher.js'
import { normalPhone } from './phone-number.js'
import { createPhoneMarks } from './phone-marks.js'
import { unavailable } from './refusal.js'
import { checkUrlTemplate, ResetTokens } from './reset.js'
import { authRoutes } from './routes-auth.js'
import { passwordRoutes } from './routes-password.js'
import { phoneRoutes } from './routes-phone.js'
import { sessionRoutes } from './routes-session.js'
import { specificationRoutes } from './routes-specification.js'
import { userRoutes } from './routes-user.js'
import { createRouter, type Route, type ServiceHandler } from './routing.js'
import { createSignIn } from './sign-in.js'
import { Sessions } from './sessions.js'
import { TokenCodec } from './token-codec.js'
import { createTokenService, type UserTokens } from './token-service.js'
import { Tokens } from './tokens.js'
import { optionsSchema, type ParsedOptions, type UserServiceOptions } from './user-service-options.js'
import { CodeVerification, randomCode, type PhoneVerification } from './verification.js'

/** The user service: a handler for `app.use('/api/v1.0', service)`, and what else an application wants of it. */
export interface UserService extends ServiceHandler {
  /** Checks and issues tokens: for `BearerStrategy`, `requireRole` and an application's own use. */
  readonly tokens: UserTokens
  /** What the routes do, for pages of the application's own: the same checks, the same limits, the same events. */
  readonly accounts: UserAccounts
  /** Resolves when all mails have been handed over. */
  idle(): Promise<void>
}

/**
 * The REST API of AFFO's user service, hardened: accounts, login with JWT, roles, password reset and phone
 * verification. Mount it at any path; it parses its own bodies, answers every path below its mount, and needs nothing
 * before it.
 *
 * @throws {@link InvalidOptionError}
 *
 * @example
 * const service = userService({ store, state, keys: process.env.JWT_SECRET, senders: { mail, sms } })
 * app.use('/api/v1.0', service)
 */
export function userService(options: UserServiceOptions): UserService {
  const parsed = parseOptions(optionsSchema, options, 'userService')
  checkTogether(parsed)
  const logger = parsed.logger ?? silentLogger
  const runtime = resolveRuntime(parsed.runtime)
  const keys = createKeyRing(parsed.keys)
  const context = createContext(parsed, { keys, runtime, logger })
  const signIn = createSignIn(context)
  const routes = [
    ...authRoutes(context, signIn),
    ...sessionRoutes(context),
    ...passwordRoutes(context),
    ...userRoutes(context),
    ...phoneRoutes(context),
    ...specificationRoutes({ keys, openapi: parsed.openapi, hasPhone: context.verification !== undefined }),
  ].map(busyMeans503)
  const handler = createRouter(routes, { logger, redirectMissingSlash: parsed.wire.redirectMissingSlash })
  return Object.assign(handler, {
    tokens: createTokenService(context),
    accounts: createAccounts(context, signIn),
    idle: () => context.background.idle(),
  })
}

function busyMeans503(route: Route): Route {
  const handle: Route['handle'] = async (call) => {
    try {
      return await route.handle(call)
    } catch (error) {
      throw error instanceof QueueFullError ? unavailable('The service is busy') : error
    }
  }
  return { ...route, handle }
}

function checkTogether(options: ParsedOptions): void {
  const { registration, verification, senders } = options
  if (registration.mode === 'quiet' && (registration.urlTemplate === undefined || senders.mail === undefined)) {
    throw new InvalidOptionError(
      'registration.urlTemplate',
      'the quiet mode needs registration.urlTemplate and senders.mail',
    )
  }
  if (registration.urlTemplate !== undefined) {
    if (!URL.canParse(registration.urlTemplate) || !registration.urlTemplate.includes('{token}')) {
      throw new InvalidOptionError('registration.urlTemplate', 'give a URL with {token} in it')
    }
    checkUrlTemplate(registration.urlTemplate, new Set([new URL(registration.urlTemplate).origin]))
  }
  const needsPhone = registration.mode === 'phone' || verification.required
  if (needsPhone && senders.sms === undefined && verification.method === undefined) {
    throw new InvalidOptionError(
      'senders.sms',
      'phones can only be required where they can be verified: give senders.sms',
    )
  }
  if (verification.testNumbers.length === 0) return
  if (verification.testCode === undefined)
    throw new InvalidOptionError('verification.testCode', 'test numbers need a testCode')
  if (process.env['NODE_ENV'] === 'production' && !verification.allowTestNumbersInProduction) {
    throw new InvalidOptionError(
      'verification.testNumbers',
      'test numbers let anybody pass; in production that takes allowTestNumbersInProduction as well',
    )
  }
}

interface Parts {
  readonly keys: KeyRing
  readonly runtime: Runtime
  readonly logger: Logger
}

function createContext(options: ParsedOptions, { keys, runtime, logger }: Parts): ServiceContext {
  const { store, state, namespace, tokens, passwords, senders } = options
  const now = runtime.now
  const sessions = new Sessions(state, { namespace, lifetimeSeconds: tokens.refreshSeconds })
  const emit = (event: Omit<UserEvent, 'at'>): void => report(options, logger, { ...event, at: new Date(now()) })
  const settings = settingsOf(options)
  return {
    settings,
    store,
    sessions,
    emit,
    now,
    tokens: new Tokens(
      {
        ...tokens,
        idleSeconds: tokens.idleSeconds,
        audience: tokens.audience,
        issuer: tokens.issuer,
        claims: tokens.claims,
        graceSeconds: tokens.rotate ? tokens.graceSeconds : Infinity,
        libraryTexts: options.wire.libraryTexts,
      },
      {
        codec: new TokenCodec(keys),
        sessions,
        store,
        now: () => Math.floor(now() / 1000),
        onReplay: (userId) => emit({ type: 'refresh.replayed', userId }),
      },
    ),
    passwords: new Passwords(passwords.hasher ?? argon2Hasher(passwords.argon2), {
      ...passwords,
      key: keys.derive('decoys'),
    }),
    limits: new Limits(state, namespace, now),
    devices: new Devices({ key: keys.derive('devices'), state, namespace, now, randomBytes: runtime.randomBytes }),
    resets: new ResetTokens(state, { namespace, lifetimeSeconds: options.reset.lifetimeSeconds }),
    verification: verificationOf(options, keys, settings),
    phoneMarks: createPhoneMarks(state, {
      namespace,
      key: keys.derive('phone marks'),
      lifetimeSeconds: settings.verifiedSeconds,
    }),
    mail: senders.mail,
    notices: senders.notices,
    secondFactor: options.secondFactor,
    background: new Background(logger),
  }
}

function settingsOf(options: ParsedOptions): ServiceSettings {
  const { verification, passwords, registration, reset, wire } = options
  return {
    namespace: options.namespace,
    maxBodyBytes: options.maxBodyBytes,
    freshSeconds: options.tokens.freshSeconds,
    setPasswordOfOthers: passwords.setByOthers,
    strictMembers: registration.strict,
    policy: { minLength: passwords.minLength, blocklist: passwords.blocklist, isBreached: passwords.isBreached },
    limits: options.limits,
    registration: registration.mode,
    registrationUrlTemplate: registration.urlTemplate,
    phoneMustBeVerified: verification.required || registration.mode === 'phone',
    resetOrigins: new Set(reset.origins.map((origin) => new URL(origin).origin)),
    mailFrom: reset.from,
    resetSubject: reset.subject,
    resendSeconds: verification.resendSeconds,
    verifiedSeconds: verification.verifiedSeconds,
    testNumbers: new Set(verification.testNumbers.map((number) => normalPhone(number) ?? number)),
    allowNumber: verification.allowNumber,
    allowedCallingCodes: verification.allowedCallingCodes && new Set(verification.allowedCallingCodes),
    wire,
    clientOf: (req) => clientAddress(req, options.proxyDepth),
  }
}

function verificationOf(
  options: ParsedOptions,
  keys: KeyRing,
  settings: ServiceSettings,
): PhoneVerification | undefined {
  const { verification, senders, state, namespace } = options
  if (verification.method !== undefined) return verification.method
  if (senders.sms === undefined) return undefined
  return new CodeVerification({
    state,
    namespace,
    key: keys.derive('phone codes'),
    sender: senders.sms,
    generate: verification.generate ?? randomCode,
    digits: verification.codeDigits,
    lifetimeSeconds: verification.lifetimeSeconds,
    attempts: verification.attempts,
    message: verification.message,
    from: verification.from,
    testNumbers: settings.testNumbers,
    testCode: verification.testCode ?? '',
  })
}

function report(options: ParsedOptions, logger: Logger, event: UserEvent): void {
  logger.info({ event }, `user service: ${event.type}`)
  try {
    options.onEvent?.(event)
  } catch (err) {
    logger.error({ err }, 'onEvent threw')
  }
}
