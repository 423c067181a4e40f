import type { TestProject } from 'vitest/node'
import { listen } from './listen.js'
import { findPrograms, programNames, type Programs } from './services/find.js'
import { startPostgres } from './services/postgres.js'
import type { Service } from './services/process.js'
import { startRedis } from './services/redis.js'

declare module 'vitest' {
  export interface ProvidedContext {
    readonly programs: Programs
    /** Where a test file asks for a server that all share; it is started when the first one asks. */
    readonly servicesUrl: string
  }
}

/** Finds the programs that tests need, and starts the shared servers when a test file asks for them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const programs = findPrograms()
  const missing = (Object.keys(programNames) as (keyof Programs)[]).filter((name) => programs[name] === undefined)
  const notRun = missing
    .map((name) => `NOT RUN: what needs ${programNames[name]}, which is not on this machine\n`)
    .join('')
  if (missing.length > 0 && process.env['CI'] === 'true')
    throw new Error(`With CI=true nothing may be missing.\n${notRun}`)
  process.stderr.write(notRun)

  const started = new Map<string, Promise<Service>>()
  const starters: Readonly<Record<string, () => Promise<Service>>> = {
    '/redis': () => startRedis(programs.redis ?? ''),
    '/postgres': () => startPostgres(programs.postgres ?? ''),
  }
  const control = await listen((req, res) => {
    const path = req.url ?? ''
    const service = started.get(path) ?? starters[path]?.() ?? Promise.reject(new Error('no such service'))
    if (path in starters) started.set(path, service)
    service.then(
      ({ url }) => res.end(url),
      (error: unknown) => res.writeHead(500).end(String(error)),
    )
  })
  project.provide('programs', programs)
  project.provide('servicesUrl', control.url)

  return async () => {
    await control.close()
    for (const service of started.values()) await (await service.catch(() => undefined))?.dispose()
    process.stderr.write(notRun)
  }
}
