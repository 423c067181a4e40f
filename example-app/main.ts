import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { provisionUsers } from 'passport-outofband/users'
import { pino } from 'pino'
import { createBank } from './bank.js'
import { readConfig } from './config.js'
import { sandboxGateways } from './gateways.js'
import { resetTemplate } from './people.js'
import { sandboxProviders } from './providers.js'
import type { SendSecureAccount } from './safebox-service.js'
import { openStores } from './stores.js'

const config = readConfig()
const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'warn' }, pino.destination(2))
const server = createServer()
await listen(server)
const { port } = server.address() as AddressInfo
const publicUrl = config.publicUrl ?? `http://localhost:${port}`

// Without an account at Authy, the bank brings its own.
const sandbox = config.authy ? undefined : await startSandboxFor(publicUrl)
const stores = await openStores(config)
if (sandbox) await stores.customers.forgetPhones()
const sendSecure = config.sendSecure ?? (sandbox && sandboxUser(sandbox))
if (sandbox && !config.sendSecure) await stores.documents.forget()
const authy = config.authy ?? { apiKey: sandbox?.authy.apiKey ?? '', baseUrl: sandbox?.authy.url }
const providers = sandbox ? sandboxProviders(sandbox) : config.providers
const gateways = config.gateways ?? (sandbox && sandboxGateways(sandbox))
const phoneUrl = sandbox?.phone.url ?? config.phoneUrl

const { app, approvals, people } = createBank({
  config,
  stores,
  authy,
  providers,
  gateways,
  sendSecure,
  publicUrl,
  phoneUrl,
  logger,
})
server.on('request', app)

const stopping = new AbortController()
const background = approvals.run({ signal: stopping.signal })

console.log(`Larch Bank:          ${publicUrl}`)
if (phoneUrl !== undefined) console.log(`The simulated phone: ${phoneUrl}`)

if (config.adminEmail !== undefined) console.log(`The administrator:   ${await administrator(config.adminEmail)}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
}

async function stop(): Promise<void> {
  stopping.abort()
  server.close()
  server.closeAllConnections()
  await Promise.all([background, people.idle()])
  await sandbox?.close()
  await stores.close()
}

/** Makes the first administrator, without a password, and says how they get in. Somebody who is there already is not touched. */
async function administrator(email: string): Promise<string> {
  const accounts = [{ email, roles: ['admin'] }]
  const [made] = await provisionUsers({ store: stores.users, state: stores.state, accounts })
  if (made?.setUpToken === undefined) return `${email}, with the password that was set before`
  const link = resetTemplate(publicUrl).replace('{token}', () => made.setUpToken ?? '')
  return `${email}, who sets a password within an hour at ${link}`
}

async function startSandboxFor(url: string): Promise<Sandbox> {
  return startSandbox({
    port: config.port === 0 ? 0 : config.port + 1,
    authy: { callback: { url: `${url}/callbacks/authy` } },
  })
}

function sandboxUser({ sendsecure }: Sandbox): SendSecureAccount {
  const { url: endpoint, enterpriseAccount, username, password, userEmail } = sendsecure
  return { endpoint, enterpriseAccount, username, password, userEmail }
}

async function listen(target: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    target.once('error', reject)
    target.listen(config.port, config.host, resolve)
  })
}
