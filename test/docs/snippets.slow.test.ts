import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pages, root } from './pages.js'

// Inside the package, so that the programs find it by its own name, as its users do.
const folder = join(root, 'test/docs/.programs')
const programs = pages().flatMap(({ name, program }) =>
  program === undefined ? [] : [{ name, program, file: join(folder, `${name.replace(/\W+/g, '-')}.ts`) }],
)
let sandbox: Sandbox

beforeAll(async () => {
  mkdirSync(folder, { recursive: true })
  for (const { file, program } of programs) writeFileSync(file, program)
  writeFileSync(join(folder, 'report.pdf'), '%PDF-1.4\n')
  sandbox = await startSandbox({ authy: { enrolAtOnce: true } })
})
afterAll(async () => {
  await sandbox.close()
})

test('every snippet of README and docs compiles', () => {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const program = ts.createProgram(
    programs.map(({ file }) => file),
    { ...options, noUnusedLocals: false, noUnusedParameters: false, incremental: false, noEmit: true },
  )
  const complaints = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file?.fileName.startsWith(folder))
    .map(({ file, start = 0, messageText }) => {
      const line = file ? file.text.slice(0, start).split('\n').length : 0
      return `${file?.fileName.slice(folder.length + 1)}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
  expect(complaints).toEqual([])
}, 300_000)

// Pages whose program is a file of its own here are run by guides.test.ts, which also logs in with them.
const standalone = programs.filter(({ name }) => !existsSync(join(root, 'test', name.replace(/\.md$/, '.snippet.ts'))))

test.each(standalone)(
  'the snippets of $name run',
  async ({ file }) => {
    const child = spawn(process.execPath, ['--import', 'tsx', file], {
      cwd: root,
      env: { ...process.env, ...addresses() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    const exited = once(child, 'exit').then(([code]) => `ended with ${String(code)}`)
    // A server says that it listens, and goes on; everything else ends by itself.
    const listens = once(child.stdout, 'data').then(() => 'listens')
    const outcome = await Promise.race([exited, listens])
    child.kill()
    await exited
    expect(outcome, output).toMatch(/^(ended with 0|listens)$/)
  },
  60_000,
)

// What an application takes from its environment: here everything leads to the sandbox.
function addresses(): Record<string, string> {
  const { passbyme, sendsecure, activeconnect } = sandbox.describe() as Record<string, Record<string, string>>
  return {
    NODE_ENV: 'test',
    PORT: '0',
    JWT_SECRET: 'a secret of the tests, long enough: 0123456789',
    AUTHY_API_KEY: sandbox.authy.apiKey,
    AUTHY_URL: sandbox.authy.url,
    PASSBYME_URL: passbyme?.['url'] ?? '',
    PASSBYME_MANAGEMENT_URL: passbyme?.['managementUrl'] ?? '',
    PASSBYME_PEM: passbyme?.['pemFile'] ?? '',
    PASSBYME_ORGANISATION_PEM: passbyme?.['organisationPemFile'] ?? '',
    PASSBYME_PASSPHRASE: passbyme?.['passphrase'] ?? '',
    PASSBYME_CA: passbyme?.['caFile'] ?? '',
    ACTIVECONNECT_URL: activeconnect?.['url'] ?? '',
    ACTIVECONNECT_APPLICATION_ID: activeconnect?.['applicationId'] ?? '',
    ACTIVECONNECT_APPLICATION_SECRET: activeconnect?.['applicationSecret'] ?? '',
    SENDSECURE_URL: sendsecure?.['url'] ?? '',
    SENDSECURE_ACCOUNT: sendsecure?.['enterpriseAccount'] ?? '',
    SENDSECURE_USERNAME: sendsecure?.['username'] ?? '',
    SENDSECURE_PASSWORD: sendsecure?.['password'] ?? '',
    SENDSECURE_EMAIL: sendsecure?.['userEmail'] ?? '',
    DATABASE_FILE: join(folder, 'app.db'),
    REPORT: join(folder, 'report.pdf'),
  }
}
