import { parseArgs, type ParseArgsConfig } from 'node:util'
import { InvalidOptionError } from '../errors.js'

/** The options of a command, each with a value that is a text. @throws {@link InvalidOptionError} for one that it does not know. */
export function textArguments<Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): Readonly<Partial<Record<Name, string>>> {
  const options: ParseArgsConfig['options'] = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
  try {
    const { values } = parseArgs({ args: [...args], strict: true, allowPositionals: false, options })
    const entries = names.flatMap((name) => (typeof values[name] === 'string' ? [[name, values[name]]] : []))
    return Object.fromEntries(entries) as Partial<Record<Name, string>>
  } catch (error) {
    throw new InvalidOptionError('arguments', error instanceof Error ? error.message : String(error))
  }
}
