import { join } from 'node:path'
import express, { type Express } from 'express'
import session from 'express-session'
import helmet from 'helmet'
import passport from 'passport'
import {
  createApprovals,
  createAssurances,
  createGuessLimits,
  createSendLimits,
  type Approvals,
  type Assurances,
} from 'passport-outofband'
import type { GuessLimits, Logger } from 'passport-outofband'
import { AuthyClient, oneTouchChannel } from 'passport-outofband/authy'
import { currentAssurance, deviceCookie, presence, sameOrigin } from 'passport-outofband/middleware'
import { oneTouchCallback } from 'passport-outofband/webhooks'
import type { UserEvent, UserService } from 'passport-outofband/users'
import { Accounts } from './accounts.js'
import type { Config } from './config.js'
import type { GatewaySettings } from './gateways.js'
import { tellPeople } from './notices.js'
import { createPeople, mayHoldLinks } from './people.js'
import { channelsOf, openProviders, type Providers, type ProviderSettings } from './providers.js'
import { apiDocsRoutes, swaggerUi } from './routes/api-docs.js'
import { errorPages } from './routes/errors.js'
import { accountRoutes } from './routes/account.js'
import { adminRoutes } from './routes/admin.js'
import { contactRoutes } from './routes/contact.js'
import { forgotRoutes } from './routes/forgot.js'
import { documentRoutes } from './routes/documents.js'
import { enrolRoutes } from './routes/enrol.js'
import { signInRoutes } from './routes/sign-in.js'
import { signUpRoutes } from './routes/sign-up.js'
import { stepUpRoutes } from './routes/step-up.js'
import { transferRoutes } from './routes/transfer.js'
import { SafeBoxService, type SendSecureAccount } from './safebox-service.js'
import type { Stores } from './stores.js'
import { useStrategies } from './strategies.js'

/** Everything that the routes share. */
export interface Bank {
  readonly stores: Stores
  /** The user service: who people are. */
  readonly people: UserService
  readonly accounts: Accounts
  readonly authy: AuthyClient
  readonly authyApiKey: string
  readonly providers: Providers
  readonly approvals: Approvals
  readonly assurances: Assurances
  readonly limits: GuessLimits
  readonly phoneUrl: string | undefined
  readonly publicUrl: string
  readonly isProduction: boolean
  /** Mails can be sent, and their links lead here. */
  readonly canReset: boolean
  /** Texts can be sent. */
  readonly canText: boolean
}

export interface BankOptions {
  readonly config: Config
  readonly stores: Stores
  readonly authy: { readonly apiKey: string; readonly baseUrl: string | undefined }
  readonly providers: ProviderSettings
  readonly gateways: GatewaySettings | undefined
  /** Without it there is no page for documents. */
  readonly sendSecure: SendSecureAccount | undefined
  /** Where the app is reached, as the provider's callback is configured. */
  readonly publicUrl: string
  readonly phoneUrl: string | undefined
  readonly logger: Logger
}

/** The bank as an Express app, and what has to run beside it. */
export function createBank(options: BankOptions): {
  readonly app: Express
  readonly approvals: Approvals
  readonly people: UserService
} {
  const { stores, config, logger } = options
  const authy = new AuthyClient({
    apiKey: options.authy.apiKey,
    ...(options.authy.baseUrl === undefined ? {} : { baseUrl: options.authy.baseUrl }),
    sendLimits: createSendLimits({ state: stores.state }),
  })
  const providers = openProviders(options.providers)
  const approvals = createApprovals({
    state: stores.state,
    channels: [oneTouchChannel(authy), ...channelsOf(providers)],
    policy: { ttlSeconds: config.pushTtlSeconds },
    logger,
  })
  const limits = createGuessLimits({ state: stores.state })
  const audit = (event: UserEvent): void => {
    stores.audit.add(event).catch((err: unknown) => {
      logger.error({ err, event }, 'an event is missing in the audit trail')
    })
  }
  const people = createPeople({ ...options, authy, limits, onEvent: audit })
  const bank: Bank = {
    stores,
    people,
    accounts: new Accounts(people.accounts, stores.customers),
    authy,
    authyApiKey: options.authy.apiKey,
    providers,
    approvals,
    assurances: createAssurances({ state: stores.state }),
    limits,
    phoneUrl: options.phoneUrl,
    publicUrl: options.publicUrl,
    isProduction: config.production,
    canReset: options.gateways !== undefined && mayHoldLinks(options.publicUrl),
    canText: options.gateways !== undefined,
  }
  useStrategies(passport, bank)
  if (options.gateways) tellPeople({ accounts: bank.accounts, stores, gateways: options.gateways, logger })

  const app = express()
  app.set('trust proxy', config.production ? 1 : false)
  app.use(helmet(headers(config)))
  app.use('/public/swagger-ui', swaggerUi())
  app.use('/public', express.static(join(import.meta.dirname, 'public'), { maxAge: config.production ? '1h' : 0 }))
  // Before everything that reads bodies or sessions: the signature is over the bytes as they come.
  app.use(
    '/callbacks/authy',
    oneTouchCallback({
      apiKey: options.authy.apiKey,
      callbackUrl: `${options.publicUrl}/callbacks/authy`,
      state: stores.state,
      approvals,
      logger,
    }),
  )
  // It reads its own bodies, and takes bearer tokens only: no cookie, no forgery across sites.
  app.use('/api/v1.0', people)
  app.use(sessionOf(config, stores))
  app.use(passport.session())
  app.use((req, _res, next) => {
    // The login has ended on the server (too old, unused, revoked): what the session says no longer counts.
    currentAssurance(req, bank.assurances).then((login) => {
      if (req.user && !login) req.logout(next)
      else next()
    }, next)
  })
  app.use(express.urlencoded({ extended: false, limit: '16kb' }), sameOrigin(), deviceCookie())
  app.use((_req, res, next) => {
    res.setHeader('Cache-Control', 'no-store')
    next()
  })
  app.use(
    presence({
      approvals,
      assurances: bank.assurances,
      state: stores.state,
      intervalSeconds: config.presenceSeconds,
      suspendedPath: '/suspended',
      signedOutPath: '/sign-in',
      except: ['/sign-out'],
      logger,
    }),
  )
  app.use(signUpRoutes(bank), signInRoutes(bank), enrolRoutes(bank), stepUpRoutes(bank), accountRoutes(bank))
  app.use(contactRoutes(bank), forgotRoutes(bank), adminRoutes(bank), apiDocsRoutes())
  app.use(transferRoutes(bank))
  if (options.sendSecure) app.use(documentRoutes(bank, new SafeBoxService(options.sendSecure)))
  app.use(errorPages(logger))
  return { app, approvals, people }
}

function sessionOf(config: Config, stores: Stores): express.RequestHandler {
  return session({
    name: config.production ? '__Host-bank' : 'bank',
    secret: config.sessionSecret,
    store: stores.sessions,
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: config.production, path: '/' },
  })
}

function headers(config: Config): Parameters<typeof helmet>[0] {
  const self = ["'self'"]
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: self,
        styleSrc: self,
        imgSrc: self,
        connectSrc: self,
        formAction: self,
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: config.production,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  }
}
