import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fixtures } from '../scenarios/fixtures.js'
import { scenarioFile } from '../scenarios/format.js'
import { runScenario } from '../scenarios/runner.js'
import { memoryStores } from '../scenarios/stores.js'

// What was recorded, and what was written besides from the reference.
const files = ['affo-scenarios', 'affo-scenarios-more'].map((name) =>
  scenarioFile.parse(JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))),
)

for (const file of files) {
  const makeFixture = fixtures(file, memoryStores)
  test.each(file.scenarios.map((scenario) => [scenario.name, scenario] as const))(
    'answers %s as a hardened service does',
    async (_name, scenario) => {
      expect(await runScenario(file, scenario, makeFixture)).toBeUndefined()
    },
  )
}
