import { readFileSync } from 'node:fs'
import { InvalidOptionError } from '../errors.js'
import { SqlStateStore, SqlUserStore } from '../stores/sql/index.js'
import { provisionUsers } from '../users/index.js'
import { textArguments } from './arguments.js'
import { type Command, print } from './command.js'
import { openDatabase } from './database.js'

export const provisionCommand: Command = {
  summary: 'make sure that an administrator or the account of a service exists',
  help: `Usage: passport-outofband provision --database TARGET --email ADDRESS --role admin|service [options]

An account that is there is never touched. Without a password file the account has none, and a token is printed to set
one with (POST /password/reset/confirm/, good for an hour, once).

  --password-file FILE   the password, alone in a file: on the command line everybody could read it
  --namespace NAME       that of the user service. Default users
  --table-prefix PREFIX  Default oob_`,
  run: async (args) => {
    const options = textArguments(args, ['database', 'email', 'role', 'password-file', 'namespace', 'table-prefix'])
    const { email, role, namespace = 'users' } = options
    if (email === undefined) throw new InvalidOptionError('--email', 'give --email ADDRESS')
    if (role === undefined) throw new InvalidOptionError('--role', 'give --role admin or --role service')
    const file = options['password-file']
    const password = file === undefined ? {} : { password: readFileSync(file, 'utf8').replace(/\r?\n$/, '') }
    const database = await openDatabase(options.database ?? process.env['DATABASE_URL'])
    try {
      const where = { db: database.db, tablePrefix: options['table-prefix'] }
      const stores = { store: new SqlUserStore(where), state: new SqlStateStore(where) }
      const [made] = await provisionUsers({ ...stores, namespace, accounts: [{ email, roles: [role], ...password }] })
      print(made?.created === true ? `created user ${made.userId}` : `user ${String(made?.userId)} is there already`)
      if (made?.setUpToken !== undefined) print(`set-up token: ${made.setUpToken}`)
    } finally {
      await database.close()
    }
    return 0
  },
}
