import { createRequire } from 'node:module'
import { z } from 'zod'

interface AuthyClient {
  verifyCallback(request: object): Promise<unknown>
}

// It has no types of its own.
const { Client } = z
  .object({ Client: z.custom<new (options: { key: string }) => AuthyClient>((value) => typeof value === 'function') })
  .parse(createRequire(import.meta.url)('authy-client'))

export { Client }
