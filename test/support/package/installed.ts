import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../../..')

interface PackageJson {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

export const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson

/** What a user can import, without package.json. */
export const specifiers: readonly string[] = Object.keys(packageJson.exports)
  .filter((subpath) => !subpath.endsWith('.json'))
  .map((subpath) => packageJson.name + subpath.slice(1))

/** Packs the built package and installs the tarball in a folder, as a user would: nothing else is there. */
export async function installPacked(folder: string): Promise<string> {
  // The build is the test command's business; packing must not start another one beside the tests that use it.
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root })
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
  const app = join(folder, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{"name":"app","private":true}')
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--omit=peer']
  await run('npm', ['install', ...quiet, join(folder, filename)], { cwd: app })
  return app
}

/** Adds packages to an installed app, by links to those of this repository. */
export function linkPackages(app: string, names: readonly string[]): void {
  for (const name of names) {
    const link = join(app, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
}

/** Runs a program in the app with this Node, and gives what it printed. */
export async function runIn(app: string, name: string, source: string, args: readonly string[] = []): Promise<string> {
  writeFileSync(join(app, name), source)
  const { stdout } = await run(process.execPath, [...args, name], { cwd: app })
  return stdout
}

/** Runs TypeScript over the files of an app, and gives its complaints. */
export async function typeCheck(app: string): Promise<string> {
  try {
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', app], { cwd: app })
    return ''
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
  }
}
