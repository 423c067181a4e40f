import type { z } from 'zod'
import type { AuthyApi } from './api.js'
import { callSignal, parseInput, requesterInput, type RequesterOptions, type MethodOptions } from './input.js'
import { appDetailsReply, appStatsReply } from './wire-app.js'

/** The application, as it is set up at the service. */
export type AppDetails = z.output<typeof appDetailsReply>
/** What the application did in the last months. */
export type AppStats = z.output<typeof appStatsReply>

/** `client.app`: the application itself. */
export class AuthyApplication {
  readonly #api: AuthyApi

  /** @internal */
  constructor(api: AuthyApi) {
    this.#api = api
  }

  /** Reads how the application is set up. Harmless, so it is a good check of key and URL at start. */
  async details(options: RequesterOptions = {}, call: MethodOptions = {}): Promise<AppDetails> {
    return this.#read('app.details', '/protected/json/app/details', appDetailsReply, options, call)
  }

  /** Reads the monthly counts. */
  async stats(options: RequesterOptions = {}, call: MethodOptions = {}): Promise<AppStats> {
    return this.#read('app.stats', '/protected/json/app/stats', appStatsReply, options, call)
  }

  async #read<T>(operation: string, path: string, reply: z.ZodType<T>, options: unknown, call: unknown): Promise<T> {
    const { ip, signal } = parseInput(requesterInput, options, operation)
    const request = {
      operation,
      method: 'GET',
      path,
      label: path,
      query: { user_ip: ip },
      reply,
      repeatable: true,
    } as const
    return this.#api.call(request, callSignal(operation, call, { signal }))
  }
}
