import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs that some tests need and that npm does not bring. */
export interface Programs {
  /** Path of `redis-server`. */
  readonly redis: string | undefined
  /** Folder of `initdb` and `postgres`. */
  readonly postgres: string | undefined
  /** Path of Chromium. */
  readonly chromium: string | undefined
}

/** What the programs are called when one is missing. */
export const programNames: Readonly<Record<keyof Programs, string>> = {
  redis: 'Redis (redis-server; Debian: redis-server)',
  postgres: 'PostgreSQL (initdb and postgres; Debian: postgresql)',
  chromium: 'Chromium (Debian: chromium; or set CHROMIUM_PATH)',
}

export function findPrograms(): Programs {
  return {
    redis: firstExecutable(onPath('redis-server')),
    postgres: postgresFolders().find(
      (folder) => isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'postgres')),
    ),
    chromium: firstExecutable([
      process.env['CHROMIUM_PATH'] ?? '',
      ...onPath('chromium'),
      ...onPath('chromium-browser'),
      ...onPath('google-chrome'),
    ]),
  }
}

function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
}

function onPath(name: string): string[] {
  return [...pathFolders(), '/usr/bin', '/usr/local/bin'].map((folder) => join(folder, name))
}

// Debian keeps the server's programs out of the PATH.
function postgresFolders(): string[] {
  const root = '/usr/lib/postgresql'
  let versions: string[] = []
  try {
    versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
  } catch {
    // Not Debian, or not installed.
  }
  return [...pathFolders(), ...versions.map((version) => join(root, version, 'bin'))]
}

function firstExecutable(paths: readonly string[]): string | undefined {
  return paths.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return path !== ''
  } catch {
    return false
  }
}
