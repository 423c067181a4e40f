import type { z } from 'zod'
import { SandboxError } from '../../errors.js'
import { parseOptions } from '../../options.js'
import type { SandboxRequest } from '../http-message.js'

/** Reads a JSON body of the phone's API. @throws {@link SandboxError} `invalid`. */
export async function readJson<S extends z.ZodType>(request: SandboxRequest, schema: S): Promise<z.output<S>> {
  const body = await request.body()
  if (!body) throw new SandboxError('invalid', 'the body is too large')
  let value: unknown
  try {
    value = body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new SandboxError('invalid', 'the body is not JSON', { cause })
  }
  return parseOptions(schema, value, 'the request')
}
