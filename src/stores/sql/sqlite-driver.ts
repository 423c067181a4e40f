import { closeSync, openSync } from 'node:fs'
import {
  CompiledQuery,
  createQueryId,
  IdentifierNode,
  RawNode,
  type DatabaseConnection,
  type Driver,
  type QueryCompiler,
  type QueryResult,
} from 'kysely'
import { SqliteBusyError, SqliteConnection } from './sqlite-connection.js'
import { loadSqlite } from './sqlite-module.js'
import type { SqliteSettings } from './sqlite-settings.js'

/** One connection, lent to one borrower after the other. */
export class SqliteDriver implements Driver {
  readonly #settings: SqliteSettings
  readonly #waiting: (() => void)[] = []
  #connection: SqliteConnection | undefined
  #lent = false

  constructor(settings: SqliteSettings) {
    this.#settings = settings
  }

  async init(): Promise<void> {
    const { file, busyTimeoutMs, synchronous } = this.#settings
    const { DatabaseSync } = await loadSqlite()
    // The file holds sessions and the state of logins: SQLite itself would make it readable for everybody.
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
    const handle = new DatabaseSync(file)
    const connection = new SqliteConnection(handle, busyTimeoutMs)
    // busy_timeout would sleep inside SQLite and stop the whole process; the connection waits outside instead.
    await connection.exec('pragma busy_timeout = 0')
    await connection.exec('pragma journal_mode = wal')
    await connection.exec(`pragma synchronous = ${synchronous}`)
    await connection.exec('pragma foreign_keys = on')
    this.#connection = connection
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#lent) await this.#turn()
    this.#lent = true
    if (this.#connection !== undefined) return this.#connection
    await this.releaseConnection()
    throw new Error('the SQLite database was closed')
  }

  async releaseConnection(): Promise<void> {
    // Whatever went wrong before: a later write must never be acknowledged inside a transaction that nobody will commit.
    this.#connection?.endStrayTransaction()
    const next = this.#waiting.shift()
    if (next === undefined) this.#lent = false
    else next()
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection?.endStrayTransaction()
  }

  async savepoint(connection: DatabaseConnection, name: string, compile: QueryCompiler['compileQuery']): Promise<void> {
    await savepointCommand('savepoint', connection, name, compile)
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await savepointCommand('rollback to', connection, name, compile)
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await savepointCommand('release', connection, name, compile)
  }

  async destroy(): Promise<void> {
    this.#connection?.close()
    this.#connection = undefined
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1)
        reject(new SqliteBusyError('a transaction of this process did not end in time'))
      }, this.#settings.busyTimeoutMs)
      this.#waiting.push(turn)
    })
  }
}

async function savepointCommand(
  command: string,
  connection: DatabaseConnection,
  name: string,
  compile: QueryCompiler['compileQuery'],
): Promise<QueryResult<unknown>> {
  const node = RawNode.create([`${command} `, ''], [IdentifierNode.create(name)])
  return connection.executeQuery(compile(node, createQueryId()))
}
