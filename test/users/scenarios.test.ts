import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fixtures } from '../scenarios/fixtures.js'
import { scenarioFile } from '../scenarios/format.js'
import { runScenario } from '../scenarios/runner.js'
import { memoryStores } from '../scenarios/stores.js'

const path = new URL('../vectors/affo-scenarios.json', import.meta.url)
const file = scenarioFile.parse(JSON.parse(readFileSync(path, 'utf8')))
const makeFixture = fixtures(file, memoryStores)

test.each(file.scenarios.map((scenario) => [scenario.name, scenario] as const))(
  'answers %s as a hardened service does',
  async (_name, scenario) => {
    expect(await runScenario(file, scenario, makeFixture)).toBeUndefined()
  },
)
