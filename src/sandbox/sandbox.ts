import { z } from 'zod'
import { ConfigurationError } from '../errors.js'
import { loggerOption, parseOptions, runtimeOption } from '../options.js'
import { type Logger, resolveRuntime, type Runtime, silentLogger } from '../runtime.js'
import {
  type ActiveconnectSandbox,
  activeconnectSandboxOptions,
  type ActiveconnectSandboxOptions,
  startActiveconnect,
} from './activeconnect/index.js'
import { type AuthySandbox, authySandboxOptions, type AuthySandboxOptions, startAuthy } from './authy/index.js'
import type { SandboxClock } from './clock.js'
import { type Ground, layGround } from './context.js'
import type { Faults } from './faults.js'
import {
  type GatewaysSandbox,
  gatewaysSandboxOptions,
  type GatewaysSandboxOptions,
  startGateways,
} from './gateways/index.js'
import { Phone } from './phone/phone.js'
import {
  type PassByMeSandbox,
  passByMeSandboxOptions,
  type PassByMeSandboxOptions,
  startPassByMe,
} from './passbyme/index.js'
import { startPhone } from './phone/server.js'
import {
  type SendSecureSandbox,
  sendSecureSandboxOptions,
  type SendSecureSandboxOptions,
  startSendSecure,
} from './sendsecure/index.js'
import { type ClickatellSandbox, startClickatell } from './sms/clickatell.js'
import { startTwilio, type TwilioSandbox } from './sms/twilio.js'

const options = z.strictObject({
  port: z.int('give a port number, or 0 for any free one').min(0).max(65_000).optional(),
  authy: authySandboxOptions.optional(),
  passbyme: passByMeSandboxOptions.optional(),
  activeconnect: activeconnectSandboxOptions.optional(),
  sendsecure: sendSecureSandboxOptions.optional(),
  gateways: gatewaysSandboxOptions.optional(),
  runtime: runtimeOption,
  logger: loggerOption,
})

export interface SandboxOptions {
  /** The first port: the phone's; the providers' follow in the order of the JSON line. 0, the default, picks free ones. */
  readonly port?: number
  readonly authy?: AuthySandboxOptions
  readonly passbyme?: PassByMeSandboxOptions
  readonly activeconnect?: ActiveconnectSandboxOptions
  readonly sendsecure?: SendSecureSandboxOptions
  readonly gateways?: GatewaysSandboxOptions
  readonly runtime?: Partial<Runtime>
  readonly logger?: Logger
}

/** A sandbox that runs: a stand-in for every provider, and the phone. */
export interface Sandbox {
  readonly authy: AuthySandbox
  readonly passbyme: PassByMeSandbox
  readonly activeconnect: ActiveconnectSandbox
  readonly sendsecure: SendSecureSandbox
  readonly gateways: GatewaysSandbox
  readonly twilio: TwilioSandbox
  readonly clickatell: ClickatellSandbox
  readonly phone: Phone
  readonly faults: Faults
  readonly clock: SandboxClock
  /** Addresses and credentials of everything, as the command prints them: plain JSON. */
  describe(): Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Ends all servers, connections and timers. */
  close(): Promise<void>
}

/**
 * Starts a stand-in for every provider, and the phone, on 127.0.0.1.
 *
 * For development and tests. Whoever reaches its ports can approve anything, so it refuses to start in production.
 *
 * @throws {@link ConfigurationError} when NODE_ENV is `production`.
 * @throws {@link InvalidOptionError} when an option is unknown or wrong.
 * @throws {@link SandboxError} `conflict` when a port is taken.
 *
 * @example
 * const sandbox = await startSandbox()
 * const authy = new AuthyClient({ apiKey: sandbox.authy.apiKey, baseUrl: sandbox.authy.url })
 * await sandbox.phone.approve(await sandbox.phone.waitForPush())
 * await sandbox.close()
 */
export async function startSandbox(given: SandboxOptions = {}): Promise<Sandbox> {
  refuseProduction()
  const { port = 0, runtime, logger = silentLogger, ...providers } = parseOptions(options, given, 'startSandbox')
  const ground = layGround(port, resolveRuntime(runtime), logger)
  try {
    return await start(ground, providers)
  } catch (error) {
    await ground.close()
    throw error
  }
}

type ProviderOptions = Omit<z.output<typeof options>, 'port' | 'runtime' | 'logger'>

async function start(ground: Ground, providers: ProviderOptions): Promise<Sandbox> {
  const phoneContext = ground.context('phone')
  const phoneServer = await startPhone(phoneContext)
  const authy = await startAuthy(ground.context('authy'), providers.authy)
  const passbyme = await startPassByMe(ground.context('passbyme'), providers.passbyme)
  const activeconnect = await startActiveconnect(ground.context('activeconnect'), providers.activeconnect)
  const sendsecure = await startSendSecure(ground.context('sendsecure'), providers.sendsecure)
  const lines = [ground.context('twilio'), ground.context('clickatell')] as const
  const gateways = await startGateways(ground.context('gateways'), lines, providers.gateways)
  const twilio = await startTwilio(lines[0])
  const clickatell = await startClickatell(lines[1])
  return {
    authy: authy.handle,
    passbyme: passbyme.handle,
    activeconnect: activeconnect.handle,
    sendsecure: sendsecure.handle,
    gateways: gateways.handle,
    twilio: twilio.handle,
    clickatell: clickatell.handle,
    phone: new Phone(ground.hub, phoneServer.url, phoneContext.runtime),
    faults: ground.faults,
    clock: ground.clock,
    describe: () => ({
      authy: authy.describe(),
      passbyme: passbyme.describe(),
      activeconnect: activeconnect.describe(),
      sendsecure: sendsecure.describe(),
      gateways: gateways.describe(),
      twilio: twilio.describe(),
      clickatell: clickatell.describe(),
      phone: { url: phoneServer.url },
    }),
    close: () => ground.close(),
  }
}

function refuseProduction(): void {
  if (process.env['NODE_ENV'] === 'production') {
    throw new ConfigurationError(
      'the sandbox does not start with NODE_ENV=production: whoever reaches it can approve anything',
    )
  }
}
