import { migrateToLatest } from '../stores/sql/index.js'
import { textArguments } from './arguments.js'
import { type Command, print } from './command.js'
import { openDatabase } from './database.js'

export const migrateCommand: Command = {
  summary: 'bring the tables of a database to the newest schema',
  help: `Usage: passport-outofband migrate --database TARGET [--table-prefix oob_]

TARGET is the path of an SQLite file or postgres://...; default DATABASE_URL. Safe to run again, and by several at once.`,
  run: async (args) => {
    const options = textArguments(args, ['database', 'table-prefix'])
    const database = await openDatabase(options.database ?? process.env['DATABASE_URL'])
    try {
      const applied = await migrateToLatest({ db: database.db, tablePrefix: options['table-prefix'] })
      print(applied.length === 0 ? 'nothing to do' : `applied: ${applied.join(', ')}`)
    } finally {
      await database.close()
    }
    return 0
  },
}
