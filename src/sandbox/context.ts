import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger, Runtime } from '../runtime.js'
import { createClock, type SandboxClock } from './clock.js'
import { Faults } from './faults.js'
import { listen, type Listening } from './http-server.js'
import { PhoneHub } from './phone/hub.js'
import type { StandInContext } from './stand-in.js'

/** What all stand-ins of one sandbox share, and how it ends. */
export interface Ground {
  readonly clock: SandboxClock
  readonly faults: Faults
  readonly hub: PhoneHub
  context(provider: string): StandInContext
  /** To be called at the end, whatever else the sandbox must stop. */
  onClose(stop: () => Promise<void>): void
  /** Ends everything at once. Harmless when repeated. */
  close(): Promise<void>
}

export function layGround(firstPort: number, runtime: Runtime, logger: Logger): Ground {
  const clock = createClock(runtime)
  const hub = new PhoneHub(clock)
  const faults = new Faults(() => hub.changed())
  const ending = new AbortController()
  const stops: (() => Promise<void>)[] = []
  let port = firstPort
  let closed: Promise<void> | undefined

  function context(provider: string): StandInContext {
    return {
      provider,
      now: () => clock.now() + faults.skewMs(provider),
      clock,
      faults,
      hub,
      runtime,
      logger,
      signal: ending.signal,
      listen: async (options): Promise<Listening> => {
        const listening = await listen({ ...options, provider, port: port === 0 ? 0 : port++, clock, faults, logger })
        stops.push(() => listening.close())
        return listening
      },
      directory: async () => {
        const path = await mkdtemp(join(tmpdir(), 'passport-outofband-sandbox-'))
        stops.push(() => rm(path, { recursive: true, force: true }))
        return path
      },
    }
  }

  async function close(): Promise<void> {
    ending.abort()
    await Promise.all(stops.map((stop) => stop()))
  }

  return { clock, faults, hub, context, onClose: (stop) => void stops.push(stop), close: () => (closed ??= close()) }
}
