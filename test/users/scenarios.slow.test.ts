import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fixtures } from '../scenarios/fixtures.js'
import { scenarioFile } from '../scenarios/format.js'
import { runScenario } from '../scenarios/runner.js'
import { postgresStores, sqliteStores, type OpenStores } from '../scenarios/stores.js'
import { describeWith, sharedPostgres } from '../support/services.js'

// What was recorded, and what was written besides from the reference.
const files = ['affo-scenarios', 'affo-scenarios-more'].map((name) =>
  scenarioFile.parse(JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))),
)

function allScenarios(open: OpenStores): void {
  for (const file of files) {
    const makeFixture = fixtures(file, open)
    test.each(file.scenarios.map((scenario) => [scenario.name, scenario] as const))(
      'answers %s',
      async (_name, scenario) => {
        expect(await runScenario(file, scenario, makeFixture)).toBeUndefined()
      },
    )
  }
}

describe('on SQLite, a hardened service', () => allScenarios(sqliteStores))

describeWith('postgres', 'on PostgreSQL, a hardened service', () => {
  let stores: Awaited<ReturnType<typeof postgresStores>>
  beforeAll(async () => {
    stores = await postgresStores(await sharedPostgres())
  })
  afterAll(() => stores.close())
  allScenarios((runtime) => stores.open(runtime))
})
