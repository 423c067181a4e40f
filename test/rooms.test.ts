import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

// design: arrows point at what is imported; errors, runtime and options are open to all and import only each other.
const src = resolve(import.meta.dirname, '../src')
const allowed: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  runtime: [],
  options: [],
  approval: [],
  providers: ['approval'],
  webhooks: ['approval', 'providers'],
  strategies: ['approval', 'middleware'],
  middleware: ['approval'],
  users: ['approval'],
  stores: ['approval', 'users'],
  sandbox: ['providers', 'users', 'stores'],
  cli: ['approval', 'providers', 'webhooks', 'users', 'stores', 'sandbox'],
  index: ['approval'],
}
// What a strategy shares with the middleware: reading a request, answering it, and the one file that handles sessions.
const sharedMiddlewareFile = /^middleware\/(http-request|http-answer|session|same-origin|device-cookie)\.js$/
// The gateway services that the sandbox mounts keep their state in a store; it is none of the stand-ins under test, so
// the sandbox takes the one in memory instead of writing another.
const sandboxStore = 'stores/memory.js'
// Files of a provider that a stand-in and a webhook may share: what is on the wire, and pure signing. Never a client.
const sharedProviderFile = /^providers\/[a-z]+\/(wire|signing)(-[a-z-]+)?\.js$/

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sources(join(dir, entry.name)) : entry.name.endsWith('.ts') ? [join(dir, entry.name)] : [],
  )
}

function room(path: string): string {
  return path.replace(/\.[tj]s$/, '').split('/')[0]!
}

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    relative(src, resolve(dirname(file), match[1]!)),
  )
}

test.each(sources(src).map((file) => relative(src, file)))('%s imports only what its room may', (file) => {
  const from = room(file)
  expect(Object.keys(allowed)).toContain(from)
  for (const target of imports(join(src, file))) {
    const to = room(target)
    if (to === from) {
      // A provider knows itself and the shared transport, never another provider.
      if (from === 'providers') expect(provider(target)).toMatch(new RegExp(`^(${provider(file)}|http(-[a-z]+)*)$`))
      continue
    }
    if (to === 'errors' || to === 'runtime' || to === 'options') continue
    expect(allowed[from], `${file} -> ${target}`).toContain(to)
    if (to === 'middleware' && from === 'strategies') expect(target).toMatch(sharedMiddlewareFile)
    if (to === 'stores' && from === 'sandbox') expect(target).toBe(sandboxStore)
    if (to === 'providers' && from !== 'cli') expect(target).toMatch(sharedProviderFile)
  }
})

test('no file imports itself, be it by way of others or for its types only', () => {
  const files = sources(src).map((file) => relative(src, file))
  const targets = new Map(
    files.map((file) => [file, imports(join(src, file)).map((path) => path.replace(/\.js$/, '.ts'))]),
  )
  expect(files.flatMap((file) => cycleThrough(file, targets)).map((path) => path.join(' -> '))).toEqual([])
})

/** The shortest way from a file back to itself, if there is one. */
function cycleThrough(file: string, targets: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const seen = new Set<string>()
  let ways: readonly (readonly string[])[] = [[file]]
  while (ways.length > 0) {
    const longer = ways.flatMap((way) => (targets.get(way.at(-1)!) ?? []).map((target) => [...way, target]))
    const home = longer.find((way) => way.at(-1) === file)
    if (home) return [home]
    ways = longer.filter((way) => !seen.has(way.at(-1)!) && seen.add(way.at(-1)!))
  }
  return []
}

function provider(path: string): string {
  return path.split('/')[1]!.replace(/\.[tj]s$/, '')
}
