import { ApprovalError, InvalidOptionError } from '../errors.js'
import { type Command, complain, print } from './command.js'

// Loaded on demand: one command must not pay for what another needs.
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  sandbox: async () => (await import('./sandbox.js')).sandboxCommand,
  migrate: async () => (await import('./migrate.js')).migrateCommand,
  provision: async () => (await import('./provision.js')).provisionCommand,
  keys: async () => (await import('./keys.js')).keysCommand,
  'import-users': async () => (await import('./import-users.js')).importUsersCommand,
}

/** Runs the command line. Resolves with the exit code: 0, 1 when it failed, 2 when the arguments are wrong. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  try {
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      print(await overview())
      return name === undefined ? 2 : 0
    }
    const command = await find(name)
    if (rest.includes('--help') || rest.includes('-h')) {
      print(command.help)
      return 0
    }
    return await command.run(rest)
  } catch (error) {
    return explain(error)
  }
}

async function find(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load) return load()
  throw new InvalidOptionError(
    'command',
    `there is no command '${name}'; the commands are: ${Object.keys(commands).join(', ')}`,
  )
}

function explain(error: unknown): number {
  if (error instanceof InvalidOptionError) {
    complain(`${error.message}\nTry: passport-outofband --help`)
    return 2
  }
  // What we throw on purpose says what to do; anything else is a bug, and its stack is what helps.
  if (error instanceof ApprovalError) complain(error.message)
  else complain(error instanceof Error ? String(error.stack) : String(error))
  return 1
}

async function overview(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => `  ${name.padEnd(14)}${(await load()).summary}`),
  )
  return ['Usage: passport-outofband <command> [options]', '', 'Commands:', ...lines, '', 'Each takes --help.'].join(
    '\n',
  )
}
