import { describe, inject } from 'vitest'
import { programNames, type Programs } from './services/find.js'
import { startPostgres } from './services/postgres.js'
import type { Service } from './services/process.js'
import { startRedis } from './services/redis.js'

export type { Service } from './services/process.js'

/** A suite that needs a program which npm does not bring: reported as NOT RUN where it is missing (in CI that fails). */
export function describeWith(
  needs: keyof Programs | readonly (keyof Programs)[],
  name: string,
  body: () => void,
): void {
  const programs = inject('programs')
  const missing = [needs].flat().filter((program) => programs[program] === undefined)
  if (missing.length === 0) describe(name, body)
  else describe.skip(`NOT RUN for want of ${missing.map((program) => programNames[program]).join(', ')}: ${name}`, body)
}

/** The URL of the Redis that all test files share: use keys of your own, and never stop it. */
export function sharedRedis(): Promise<string> {
  return shared('redis')
}

/** The URL of the PostgreSQL that all test files share: use tables of your own, and never stop it. */
export function sharedPostgres(): Promise<string> {
  return shared('postgres')
}

/** A Redis for one test file that stops or kills it. Call its `dispose` at the end. */
export function privateRedis(options?: { readonly durable?: boolean }): Promise<Service> {
  return startRedis(required('redis'), options)
}

/** A PostgreSQL for one test file that stops or kills it. Call its `dispose` at the end. */
export function privatePostgres(): Promise<Service> {
  return startPostgres(required('postgres'))
}

/** Path of a program, for suites under {@link describeWith}. */
export function required(program: keyof Programs): string {
  const path = inject('programs')[program]
  if (path === undefined) throw new Error(`there is no ${programNames[program]} on this machine`)
  return path
}

async function shared(name: string): Promise<string> {
  const response = await fetch(`${inject('servicesUrl')}/${name}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}
