import type { IncomingMessage } from 'node:http'
import type { JsonObject } from '../approval/json.js'
import { problem } from './refusal.js'
import { errorText, isObject, schemaError, type Schema } from './schema.js'

/** A request's body: the value, and the text it was read from (for error texts). */
export interface Body {
  readonly value: unknown
  readonly source: string
}

const JSON_TYPE = /^application\/([a-z0-9!#$&^_.+-]+\+)?json$/

/**
 * Reads a JSON body as the original does (the same 400 and 415), and checks it against the schema.
 *
 * A body that an earlier parser of the host has read already is taken as it parsed it.
 */
export async function readBody(req: IncomingMessage, schema: Schema, maxBytes: number): Promise<Body> {
  const body = await readAny(req, maxBytes)
  const error = schemaError(schema, body.value)
  if (error !== undefined) throw problem(400, errorText(error, body.source))
  return body
}

/** Checks what an application hands over in place of a body, as {@link readBody} would. */
export function checkBody(given: unknown, schema: Schema, maxBytes: number): JsonObject {
  const { value, source } = alreadyParsed(given, maxBytes)
  const error = schemaError(schema, value)
  if (error !== undefined) throw problem(400, errorText(error, source))
  return isObject(value) ? value : {}
}

async function readAny(req: IncomingMessage, maxBytes: number): Promise<Body> {
  const parsed: unknown = Reflect.get(req, 'body')
  const isParsed = parsed !== undefined && !Buffer.isBuffer(parsed)
  const bytes = Buffer.isBuffer(parsed) ? parsed : isParsed ? undefined : await readBytes(req, maxBytes)
  if (bytes === undefined ? isBodiless(req) : bytes.length === 0) return { value: null, source: 'null' }
  const type = req.headers['content-type'] ?? ''
  const mediaType = type.split(';')[0]?.trim().toLowerCase() ?? ''
  // A host may have a parser for forms, too: another site's form must not become a request of ours.
  if (!JSON_TYPE.test(mediaType)) throw notJson(type)
  if (bytes === undefined) return alreadyParsed(parsed, maxBytes)
  if (bytes.length > maxBytes) throw tooLarge()
  const source = decodeUtf8(bytes)
  const value = source === undefined ? undefined : parseJson(source)
  // The original compares the media type as it was sent, parameters and case included, when it says why it can't read a body.
  if (source === undefined || value === undefined || value === null)
    throw JSON_TYPE.test(type) ? invalidJson() : notJson(type)
  return { value, source }
}

function isBodiless(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] === undefined && Number(req.headers['content-length'] ?? 0) === 0
}

function alreadyParsed(parsed: unknown, maxBytes: number): Body {
  const source = toJson(parsed)
  if (source === undefined) throw invalidJson()
  if (Buffer.byteLength(source) > maxBytes) throw tooLarge()
  return { value: JSON.parse(source), source }
}

// What is nested tens of thousands deep can be read, but not written again.
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

async function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  if (req.readableEnded) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      req.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= maxBytes) return void chunks.push(chunk)
      stop()
      // What is left is thrown away by the server after the answer.
      req.pause()
      reject(tooLarge())
    }
    const onEnd = (): void => {
      stop()
      resolve(Buffer.concat(chunks))
    }
    const onError = (): void => {
      stop()
      reject(problem(400, 'The request was not sent completely'))
    }
    req.on('data', onData).on('end', onEnd).on('error', onError).on('close', onError)
  })
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch {
    return undefined
  }
}

function invalidJson(): Error {
  return problem(400, 'Request body is not valid JSON')
}

function notJson(type: string): Error {
  return problem(415, `Invalid Content-type (${type.slice(0, 200)}), expected JSON data`)
}

function tooLarge(): Error {
  return problem(413, 'The request body is too large')
}
