import { parseArgs } from 'node:util'
import { InvalidOptionError } from '../errors.js'
import { type AuthyCallbackTarget, type Sandbox, startSandbox } from '../sandbox/index.js'
import { type Command, print } from './command.js'
import { untilStopped } from './until-stopped.js'

const help = `Usage: passport-outofband sandbox [options]

Starts a local stand-in for every provider, and a phone to press the buttons on.
It listens on 127.0.0.1 only, and refuses to start with NODE_ENV=production.

  --json                 print one line of JSON with all addresses and credentials, and nothing else
  --port N               the phone's port; the providers' follow. 0, the default, picks free ones
  --authy-callback URL   where OneTouch callbacks go
  --authy-callback-method POST|GET
  --help

It stops on SIGTERM, on Ctrl+C, and when the process that started it ends.`

export const sandboxCommand: Command = {
  summary: 'start a local stand-in for every provider, and a phone',
  help,
  run: async (args) => {
    const options = readArguments(args)
    const stopped = untilStopped()
    try {
      await serve(options, () => stopped.wait())
    } finally {
      stopped.forget()
    }
    return 0
  },
}

interface Arguments {
  readonly json: boolean
  readonly port: number
  readonly callback: AuthyCallbackTarget | undefined
}

async function serve({ json, port, callback }: Arguments, stopped: () => Promise<void>): Promise<void> {
  const sandbox = await startSandbox({ port, ...(callback ? { authy: { callback } } : {}) })
  print(json ? JSON.stringify(sandbox.describe()) : describe(sandbox))
  await stopped()
  await sandbox.close()
}

function readArguments(args: readonly string[]): Arguments {
  const { json = false, port = '0', ...callback } = parse(args)
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_000) {
    throw new InvalidOptionError('--port', '--port takes a number from 0 to 65000')
  }
  const url = callback['authy-callback']
  const method = callback['authy-callback-method']
  if (method !== undefined && method !== 'POST' && method !== 'GET') {
    throw new InvalidOptionError('--authy-callback-method', '--authy-callback-method takes POST or GET')
  }
  if (url === undefined && method !== undefined) {
    throw new InvalidOptionError('--authy-callback', '--authy-callback-method needs --authy-callback')
  }
  return { json, port: Number(port), callback: url === undefined ? undefined : { url, method } }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        json: { type: 'boolean' },
        port: { type: 'string' },
        'authy-callback': { type: 'string' },
        'authy-callback-method': { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new InvalidOptionError('arguments', error instanceof Error ? error.message : String(error))
  }
}

function describe(sandbox: Sandbox): string {
  const { phone, ...providers } = sandbox.describe()
  const lines = Object.entries(providers).flatMap(([name, entry]) => [
    '',
    name,
    ...Object.entries(entry).map(([key, value]) => `  ${key.padEnd(20)}${String(value)}`),
  ])
  return [`The phone:  ${String(phone?.['url'])}`, ...lines, '', 'Ctrl+C stops it.'].join('\n')
}
