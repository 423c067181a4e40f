import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { findPrograms } from '../support/services/find.js'
import { startPostgres } from '../support/services/postgres.js'
import { fixtures } from './fixtures.js'
import { readScenarios } from './format.js'
import { runScenario } from './runner.js'
import { memoryStores, postgresStores, sqliteStores, type OpenStores } from './stores.js'

// npm run scenarios -- FILE [--store sqlite|postgres]: runs a scenario file against the user service, with the answers
// expected of a hardened one.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { store: { type: 'string', default: 'sqlite' }, only: { type: 'string' } },
})

const stores: Readonly<Record<string, () => Promise<{ open: OpenStores; close: () => Promise<void> }>>> = {
  memory: async () => ({ open: memoryStores, close: async () => undefined }),
  sqlite: async () => ({ open: sqliteStores, close: async () => undefined }),
  postgres,
}

// DATABASE_URL, or a private server that goes when we are done.
async function postgres(): Promise<{ open: OpenStores; close: () => Promise<void> }> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined) return postgresStores(given)
  const programs = findPrograms().postgres
  if (programs === undefined) throw new Error('there is no PostgreSQL on this machine; set DATABASE_URL')
  const server = await startPostgres(programs)
  const { open, close } = await postgresStores(server.url)
  return {
    open,
    close: async () => {
      await close()
      await server.dispose()
    },
  }
}

const open = stores[values.store]
const path = positionals[0]
if (path === undefined || open === undefined) {
  process.stderr.write(`usage: npm run scenarios -- FILE [--store ${Object.keys(stores).join('|')}] [--only NAME]\n`)
  process.exit(2)
}

const { file, read } = readScenarios(JSON.parse(readFileSync(path, 'utf8')))
const opened = await open()
const makeFixture = fixtures(file, opened.open)
let failed = 0
let passed = 0
for (const each of read) {
  if (values.only !== undefined && !each.name.includes(values.only)) continue
  for (const member of each.unknown) process.stderr.write(`NOT LOOKED AT ${each.name}: ${member}\n`)
  const problem =
    'problem' in each
      ? each.problem
      : await runScenario(file, each.scenario, makeFixture).catch((error: unknown) => String(error))
  if (problem === undefined) {
    passed += 1
    continue
  }
  failed += 1
  process.stdout.write(`FAILED ${each.name}: ${problem}\n`)
}
await opened.close()
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
