import { copyFileSync, createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { InvalidOptionError } from '../errors.js'
import { SqlUserStore } from '../stores/sql/index.js'
import { importUsers, type OriginalUserRow } from '../users/index.js'
import { textArguments } from './arguments.js'
import { type Command, print } from './command.js'
import { openDatabase } from './database.js'

const row = z.record(z.string(), z.unknown())

export const importUsersCommand: Command = {
  summary: 'take over the users of an AFFO user service',
  help: `Usage: passport-outofband import-users --database TARGET --from SOURCE [--admins a@x.org,b@x.org]

SOURCE is the original's SQLite file, its postgres://... address, or a file that ends in .jsonl with one row of its table
"user" as a JSON object on each line. Ids and password hashes are kept; addresses and phones that are there already are
skipped. Only the addresses of --admins keep the role admin, and those of --services the role service: in the original
anybody could take them.

  --services a@x.org,b@x.org
  --table-prefix PREFIX  of the target. Default oob_`,
  run: async (args) => {
    const options = textArguments(args, ['database', 'from', 'admins', 'services', 'table-prefix'])
    const { from, admins = '', services = '' } = options
    if (from === undefined) throw new InvalidOptionError('--from', 'give --from SOURCE')
    const target = await openDatabase(options.database ?? process.env['DATABASE_URL'])
    const source = await openSource(from)
    const counts = { imported: 0, skipped: 0 }
    try {
      const store = new SqlUserStore({ db: target.db, tablePrefix: options['table-prefix'] })
      const outcomes = importUsers({
        store,
        rows: source.rows,
        admins: listOf(admins),
        services: listOf(services),
      })
      for await (const { email, result, warnings } of outcomes) {
        counts[result] += 1
        for (const warning of warnings) print(`${email}: ${warning}`)
      }
      counts.skipped += source.skipped()
    } finally {
      await source.close()
      await target.close()
    }
    print(`${counts.imported} imported, ${counts.skipped} skipped`)
    return 0
  },
}

function listOf(text: string): readonly string[] {
  return text.split(',').filter((part) => part !== '')
}

interface Source {
  readonly rows: Iterable<OriginalUserRow> | AsyncIterable<OriginalUserRow>
  /** How many of its rows were none. */
  readonly skipped: () => number
  readonly close: () => Promise<void>
}

async function openSource(from: string): Promise<Source> {
  if (from.endsWith('.jsonl')) return readFile(from)
  if (from.includes('://')) return readTable(from, () => undefined)
  // Opening a file switches it to a write-ahead log: the original's is left as it is.
  if (!existsSync(from)) throw new InvalidOptionError('--from', `there is no file ${from}`)
  const folder = mkdtempSync(join(tmpdir(), 'import-users-'))
  const copy = join(folder, 'original.db')
  // Beside the file there may be a log with its newest pages.
  for (const suffix of ['', '-wal']) if (existsSync(from + suffix)) copyFileSync(from + suffix, copy + suffix)
  return readTable(copy, () => rmSync(folder, { recursive: true, force: true }))
}

async function readTable(target: string, cleanUp: () => void): Promise<Source> {
  const database = await openDatabase(target)
  const rows = await database.query('select * from "user" order by id')
  return {
    rows,
    skipped: () => 0,
    close: async () => {
      await database.close()
      cleanUp()
    },
  }
}

function readFile(file: string): Source {
  const bad: number[] = []
  return {
    rows: readLines(file, (line) => {
      bad.push(line)
      print(`line ${line} is no JSON object`)
    }),
    skipped: () => bad.length,
    close: () => Promise.resolve(),
  }
}

async function* readLines(file: string, onBad: (line: number) => void): AsyncGenerator<OriginalUserRow> {
  let number = 0
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    number += 1
    if (line.trim() === '') continue
    const parsed = row.safeParse(parse(line))
    if (parsed.success) yield parsed.data
    else onBad(number)
  }
}

// The reason is left out: it quotes the line, and there is a hash in it.
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
