import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe } from 'vitest'
import { describeWith, sharedPostgres } from '../support/services.js'
import { makeTemporaryFolder, removeFolder } from '../support/temporary.js'

/** A database for one test. */
export interface Place {
  /** An SQLite file, or the URL of a PostgreSQL. */
  readonly target: string
  readonly tablePrefix: string
}

/** A user service in a process of its own. */
export interface ServiceProcess {
  readonly url: string
  /** Reset links that were mailed, in their order. */
  readonly links: string[]
  /** Codes that were sent, in their order. */
  readonly codes: string[]
  readonly kill: () => Promise<void>
}

/** Runs a suite on SQLite and on PostgreSQL; `place` makes a fresh database. */
export function describeOnDatabases(name: string, body: (place: () => Promise<Place>) => void): void {
  describe(`${name}, on SQLite`, () => {
    const folder = makeTemporaryFolder()
    afterAll(() => removeFolder(folder))
    body(async () => ({ target: join(folder, `${randomBytes(6).toString('hex')}.db`), tablePrefix: 'oob_' }))
  })
  describeWith('postgres', `${name}, on PostgreSQL`, () => {
    body(async () => ({ target: await sharedPostgres(), tablePrefix: `users_${randomBytes(6).toString('hex')}_` }))
  })
}

/** Kill it at the end. */
export async function serviceProcess(place: Place, env: Record<string, string> = {}): Promise<ServiceProcess> {
  const script = fileURLToPath(new URL('service-child.ts', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, place.target, place.tablePrefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const links: string[] = []
  const codes: string[] = []
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the child ended')))
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [what, value = ''] = line.split(' ')
      if (what === 'listening') resolve(value)
      if (what === 'reset') links.push(value)
      if (what === 'code') codes.push(value)
    })
  })
  return { url, links, codes, kill }
}
