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
skipped. Only the addresses of --admins keep the role admin: in the original anybody could take it.

  --table-prefix PREFIX  of the target. Default oob_`,
  run: async (args) => {
    const options = textArguments(args, ['database', 'from', 'admins', 'table-prefix'])
    const { from, admins = '' } = options
    if (from === undefined) throw new InvalidOptionError('--from', 'give --from SOURCE')
    const target = await openDatabase(options.database ?? process.env['DATABASE_URL'])
    const source = await openSource(from)
    const counts = { imported: 0, skipped: 0 }
    try {
      const store = new SqlUserStore({ db: target.db, tablePrefix: options['table-prefix'] })
      const outcomes = importUsers({
        store,
        rows: source.rows,
        admins: admins.split(',').filter((text) => text !== ''),
      })
      for await (const { email, result, warnings } of outcomes) {
        counts[result] += 1
        for (const warning of warnings) print(`${email}: ${warning}`)
      }
    } finally {
      await source.close()
      await target.close()
    }
    print(`${counts.imported} imported, ${counts.skipped} skipped`)
    return 0
  },
}

interface Source {
  readonly rows: Iterable<OriginalUserRow> | AsyncIterable<OriginalUserRow>
  readonly close: () => Promise<void>
}

async function openSource(from: string): Promise<Source> {
  if (from.endsWith('.jsonl')) return { rows: readLines(from), close: () => Promise.resolve() }
  if (/^postgres(ql)?:\/\//.test(from)) return readTable(from, () => undefined)
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
    close: async () => {
      await database.close()
      cleanUp()
    },
  }
}

async function* readLines(file: string): AsyncGenerator<OriginalUserRow> {
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    if (line.trim() !== '') yield row.parse(JSON.parse(line))
  }
}
