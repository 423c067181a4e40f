import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPacked, linkPackages, packageJson, runIn, specifiers, typeCheck } from '../support/package/installed.js'
import { makeTemporaryFolder, removeFolder } from '../support/temporary.js'

// Subpaths that are an adapter for a peer, and can't do without it.
const needs: Readonly<Record<string, string>> = { 'passport-outofband/stores/sql': 'kysely' }

let bare: string
let complete: string
const folders: string[] = []

beforeAll(async () => {
  const folder = makeTemporaryFolder()
  folders.push(folder)
  bare = await installPacked(folder)
  complete = join(folder, 'complete')
  cpSync(bare, complete, { recursive: true, verbatimSymlinks: true })
  linkPackages(complete, Object.keys(packageJson.peerDependencies))
}, 180_000)
afterAll(() => folders.forEach(removeFolder))

describe('the packed and installed package', () => {
  test.each(specifiers)('%s is imported and required, with every peer there', async (specifier) => {
    const imported = await runIn(
      complete,
      'import.mjs',
      `import * as it from '${specifier}'; console.log(JSON.stringify(Object.keys(it).sort()))`,
    )
    const required = await runIn(
      complete,
      'require.cjs',
      `console.log(JSON.stringify(Object.keys(require('${specifier}')).sort()))`,
      ['--disable-warning=ExperimentalWarning'],
    )
    const names = JSON.parse(imported) as string[]
    expect(names.length).toBeGreaterThan(0)
    expect(
      (JSON.parse(required) as string[]).filter((name) => name !== '__esModule' && name !== 'module.exports'),
    ).toEqual(names)
  })

  test.each(specifiers)('%s needs no peer that it is not an adapter for', async (specifier) => {
    const load = runIn(bare, 'bare.mjs', `await import('${specifier}')`)
    const peer = needs[specifier]
    if (peer === undefined) await load
    else await expect(load).rejects.toThrow(`Cannot find package '${peer}'`)
  })

  test('its declarations need no types of a peer', async () => {
    linkPackages(bare, ['@types/node', 'undici-types'])
    const imports = specifiers.map((specifier, n) => `import * as m${n} from '${specifier}'; export { m${n} }`)
    writeFileSync(join(bare, 'uses.mts'), imports.join('\n'))
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022', 'ES2024.String', 'DOM'],
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      types: ['node'],
      // With it, a declaration that can't find what it imports would silently become `any`.
      skipLibCheck: false,
      noEmit: true,
    }
    writeFileSync(join(bare, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['uses.mts'] }))
    const complaints = (await typeCheck(bare)).split('\n').filter((line) => line.includes(packageJson.name))
    expect(complaints).toEqual([])
  }, 60_000)

  test('the Authy client loads no SQL, no Redis, no sandbox and no other provider', async () => {
    const hook = `import { writeSync } from 'node:fs'
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context)
        writeSync(1, found.url + '\\n')
        return found
      }`
    writeFileSync(join(bare, 'hook.mjs'), hook)
    writeFileSync(
      join(bare, 'register.mjs'),
      `import { register } from 'node:module'; register('./hook.mjs', import.meta.url)`,
    )
    const out = await runIn(bare, 'authy.mjs', `import 'passport-outofband/authy'`, ['--import', './register.mjs'])
    const loaded = out.split('\n')
    expect(loaded.some((url) => url.endsWith('/dist/providers/authy/index.js'))).toBe(true)
    const strangers =
      /\/dist\/(stores|sandbox|users|strategies|middleware|webhooks|providers\/(passbyme|activeconnect|sendsecure))\/|kysely|redis|sqlite|busboy|x509|otpauth/
    expect(loaded.filter((url) => strangers.test(url))).toEqual([])
  })

  test('holds the built code, the licence and the readme, and no source, test or vector', async () => {
    const listing = await runIn(
      bare,
      'list.mjs',
      `import { readdirSync } from 'node:fs'
       console.log(JSON.stringify(readdirSync('node_modules/passport-outofband')))`,
    )
    const names = JSON.parse(listing) as string[]
    expect(names).toEqual(expect.arrayContaining(['LICENSE', 'dist', 'package.json']))
    for (const name of names)
      expect(name).toMatch(/^(LICENSE|README\.md|CHANGELOG\.md|dist|package\.json|node_modules)$/)
  })
})
