import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPacked, linkPackages, packageJson, runIn, specifiers, typeCheck } from '../support/package/installed.js'
import { makeTemporaryFolder, removeFolder } from '../support/temporary.js'

// Subpaths that are an adapter for a peer, and can't do without it.
const needs: Readonly<Record<string, string>> = { 'passport-outofband/stores/sql': 'kysely' }

/** What importing a subpath may load, beside the files that are open to all, of our own rooms and of other packages. */
const shared = /^(errors|runtime|options)\.js$/
const nothing = { files: /^$/, packages: /^$/ }
const fetching = 'zod|node-fetch|data-uri-to-buffer|fetch-blob|formdata-polyfill|node-domexception'
const provider = (name: string, more = '') => ({
  files: new RegExp(`^providers/(${name}/|http[a-z-]*\\.js$)`),
  packages: new RegExp(`^(${fetching}${more})$`),
})
const mayLoad: Readonly<Record<string, { readonly files: RegExp; readonly packages: RegExp }>> = {
  '': { files: /^(index\.js|approval\/)/, packages: /^zod$/ },
  authy: provider('authy', '|jose|libphonenumber-js'),
  passbyme: provider('passbyme'),
  activeconnect: provider('activeconnect', '|jose'),
  sendsecure: provider('sendsecure'),
  webhooks: { files: /^(webhooks|providers\/[a-z]+\/signing)/, packages: /^zod$/ },
  strategies: { files: /^(strategies|middleware|approval)\//, packages: /^(zod|passport-strategy)$/ },
  middleware: { files: /^(middleware|approval)\//, packages: /^zod$/ },
  users: { files: /^(users|approval)\//, packages: /^(zod|jose|libphonenumber-js)$/ },
  stores: { files: /^stores\/[a-z-]+\.js$/, packages: /^zod$/ },
  'stores/sql': { files: /^stores\/([a-z-]+\.js|sql\/)/, packages: /^(zod|kysely)$/ },
  'stores/redis': { files: /^stores\/([a-z-]+\.js|redis\/)/, packages: /^zod$/ },
  sandbox: {
    files: /^(sandbox|users|stores)\/|^providers\/[a-z]+\/(wire|signing)/,
    packages: /^(zod|busboy|otpauth|libphonenumber-js|jose|streamsearch|@noble\/hashes)$/,
  },
}

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

  test.each(specifiers)('%s loads its own rooms and no other', async (specifier) => {
    const folder = needs[specifier] === undefined ? bare : complete
    const hook = `import { appendFileSync } from 'node:fs'
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context)
        appendFileSync(new URL('loaded.txt', import.meta.url), found.url + '\\n')
        return found
      }`
    writeFileSync(join(folder, 'hook.mjs'), hook)
    writeFileSync(
      join(folder, 'register.mjs'),
      `import { register } from 'node:module'; register('./hook.mjs', import.meta.url)`,
    )
    // A file: a pipe that is full refuses to be written to at once.
    writeFileSync(join(folder, 'loaded.txt'), '')
    await runIn(folder, 'loads.mjs', `import '${specifier}'`, ['--import', './register.mjs'])
    const loaded = readFileSync(join(folder, 'loaded.txt'), 'utf8')
      .split('\n')
      .filter((url) => url !== '')
    const own = loaded.flatMap((url) => /\/passport-outofband\/dist\/(.+)$/.exec(url)?.[1] ?? [])
    expect(own.length).toBeGreaterThan(0)
    const { files, packages } = mayLoad[specifier.replace(/^passport-outofband\/?/, '')] ?? nothing
    expect(own.filter((file) => !shared.test(file) && !files.test(file))).toEqual([])
    const others = loaded.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [])
    expect(others.filter((name) => name !== 'passport-outofband' && !packages.test(name))).toEqual([])
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
