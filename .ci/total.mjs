// node total.mjs REPORTS CHECKS_PASSED [FAILED_CHECK...]: adds up vitest's JSON reports and the checks around them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const [folder, checksPassed, ...failedChecks] = process.argv.slice(2)
let passed = Number(checksPassed)
let failed = failedChecks.length
const lines = failedChecks.map((name) => `failed check: ${name}`)

for (const name of ['node22', 'node24', 'all']) {
  const file = join(folder, `${name}.json`)
  // A run that wrote no report is counted above, as a check that failed.
  if (!existsSync(file)) continue
  const report = JSON.parse(readFileSync(file, 'utf8'))
  passed += report.numPassedTests
  failed += report.numFailedTests
  const skipped = report.numPendingTests + report.numTodoTests
  lines.push(`${name}: ${report.numPassedTests} tests passed, ${report.numFailedTests} failed, ${skipped} skipped`)
  for (const suite of report.testResults) {
    for (const test of suite.assertionResults) if (test.status === 'failed') lines.push(`failed test: ${test.fullName}`)
  }
}

process.stdout.write(`${lines.join('\n')}\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
