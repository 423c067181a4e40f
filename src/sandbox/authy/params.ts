import type { SandboxReply, SandboxRequest } from '../http-message.js'
import { refuse } from './replies.js'

/** Anything a parameter can be. Objects have no prototype, so that no name is special. */
export type ParamValue = string | number | boolean | null | readonly ParamValue[] | ParamHash
export interface ParamHash {
  readonly [name: string]: ParamValue
}

const bodyLimit = 64 * 1024
const depthLimit = 16

/**
 * The one merged hash that the service reads: query first, then the body, JSON or form, also on a GET, because the
 * official clients send any of these. Gives the refusal when they can't be read.
 */
export async function readParams(request: SandboxRequest): Promise<ReadParams> {
  const bytes = await request.body(bodyLimit)
  if (!bytes) return { refusal: refuse('60002') }
  try {
    const body = parseBody(new TextDecoder('utf-8', { fatal: true }).decode(bytes), contentType(request))
    if (!body) return { refusal: refuse('60002') }
    return { params: hash({ ...body, ...parseForm(request.rawQuery) }) }
  } catch {
    // The decoder and decodeURIComponent throw for bytes that are not UTF-8.
    return { refusal: refuse('60005') }
  }
}

/** The parameters, or why they can't be read. */
export type ReadParams =
  { readonly params: ParamHash; readonly refusal?: never } | { readonly refusal: SandboxReply; readonly params?: never }

/** A parameter that is a text, or a number written as one. */
export function textOf(params: ParamHash, name: string): string | undefined {
  const value = params[name]
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return typeof value === 'string' ? value : undefined
}

/** A parameter that is true in any of the spellings that clients send; undefined when absent. */
export function flagOf(params: ParamHash, name: string): boolean | undefined {
  const value = params[name]
  if (value === undefined || value === null) return undefined
  return typeof value !== 'object' && ['true', '1'].includes(String(value).toLowerCase())
}

export function hashOf(params: ParamHash, name: string): ParamHash | undefined {
  const value = params[name]
  return isHash(value) ? value : undefined
}

export function isHash(value: ParamValue | undefined): value is ParamHash {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function contentType(request: SandboxRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

function parseBody(body: string, type: string): ParamHash | undefined {
  if (body === '') return hash({})
  if (type === 'application/x-www-form-urlencoded') return parseForm(body)
  if (type !== 'application/json' && !body.trimStart().startsWith('{')) return parseForm(body)
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  const params = fromJson(value, 0)
  return isHash(params) ? params : undefined
}

function fromJson(value: unknown, depth: number): ParamValue | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  if (typeof value !== 'object' || depth > depthLimit) return undefined
  if (Array.isArray(value)) return value.flatMap((entry: unknown) => fromJson(entry, depth + 1) ?? [])
  return hash(
    Object.fromEntries(
      Object.entries(value).flatMap(([name, entry]: [string, unknown]) => {
        const inner = fromJson(entry, depth + 1)
        return inner === undefined ? [] : [[name, inner]]
      }),
    ),
  )
}

/** Builds the hash of a form or query: `user[email]`, `logos[][res]`, `logos[0][res]`. */
export function parseForm(form: string): ParamHash {
  const root: Building = building()
  for (const pair of form.split('&')) {
    if (pair === '') continue
    const mark = pair.indexOf('=')
    const name = decode(mark === -1 ? pair : pair.slice(0, mark))
    const value = mark === -1 ? '' : decode(pair.slice(mark + 1))
    const [, first = name, rest = ''] = /^([^[]+)((?:\[[^\]]*\])*)$/.exec(name) ?? []
    const inner = [...rest.matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? '')
    if (inner.length <= depthLimit) put(root, [first, ...inner], value)
  }
  return root
}

interface Building {
  [name: string]: string | BuildingList | Building
}
type BuildingList = (string | Building)[]

function put(target: Building, [name = '', ...rest]: readonly string[], value: string): void {
  const [next] = rest
  const there = Object.hasOwn(target, name) ? target[name] : undefined
  if (next === undefined) target[name] = value
  else if (next === '') {
    const list: BuildingList = Array.isArray(there) ? there : []
    target[name] = list
    append(list, rest.slice(1), value)
  } else {
    const inner = typeof there === 'object' && !Array.isArray(there) ? there : building()
    target[name] = inner
    put(inner, rest, value)
  }
}

function append(list: BuildingList, rest: readonly string[], value: string): void {
  const [key] = rest
  if (key === undefined) return void list.push(value)
  const last = list.at(-1)
  // A repeated `logos[][res]` begins the next element.
  const fits = typeof last === 'object' && !Object.hasOwn(last, key)
  const element = fits ? last : building()
  if (!fits) list.push(element)
  put(element, rest, value)
}

function decode(part: string): string {
  return decodeURIComponent(part.replaceAll('+', ' '))
}

function building(): Building {
  return Object.create(null) as Building
}

function hash(entries: Readonly<Record<string, ParamValue>>): ParamHash {
  return Object.assign(Object.create(null) as object, entries)
}
