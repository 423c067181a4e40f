import {
  findMember,
  firstOf,
  hasPlainKey,
  isContainer,
  keyOf,
  kindOf,
  nextOf,
  OUTERMOST,
  textOf,
} from '../providers/authy/signing-members.js'
import { KIND_OBJECT, type Tape } from '../providers/authy/signing-tape.js'
import { decodeQuery } from './query.js'

/** Which object of a callback holds a field: the outermost, its `approval_request`, or the `transaction` in that. */
export type Level = 'callback' | 'request' | 'transaction'

/**
 * The fields of a callback whose signature was checked, however they came. The scheme can't tell null from the empty text, an
 * empty object or array from an absent field, nor a number from its text: so all values are text, and the first four are undefined.
 */
export interface CallbackFields {
  text(level: Level, key: string): string | undefined
  /** An object of texts, such as `details`. Without a prototype. */
  texts(level: Level, key: string): Readonly<Record<string, string>>
}

/** The callback is signed, yet not of the shape that the service sends. */
export class MalformedCallback extends Error {}

/** Reads the body of a POST. Good until the next body is read. */
export function fieldsOfTape(tape: Tape): CallbackFields {
  refuseBrackets(tape, OUTERMOST)
  const request = innerObject(tape, OUTERMOST, 'approval_request')
  const objects: Readonly<Record<Level, number | undefined>> = {
    callback: OUTERMOST,
    request,
    transaction: request === undefined ? undefined : innerObject(tape, request, 'transaction'),
  }
  const find = (level: Level, key: string): number | undefined => {
    const object = objects[level]
    return object === undefined ? undefined : findMember(tape, object, key)
  }
  return {
    text(level, key) {
      const node = find(level, key)
      if (node === undefined) return undefined
      if (!isContainer(tape, node)) return textOf(tape, node) || undefined
      if (isNothing(tape, node)) return undefined
      throw new MalformedCallback()
    },
    texts(level, key) {
      const node = find(level, key)
      return node === undefined ? emptyRecord() : textsOf(tape, node)
    },
  }
}

/** Reads the query of a GET. */
export function fieldsOfQuery(rawQuery: string): CallbackFields {
  const pairs = decodeQuery(rawQuery)
  if (pairs === undefined) throw new MalformedCallback()
  return {
    text: (level, key) => pairs.get(nameOf(level, key)) || undefined,
    texts(level, key) {
      const texts = emptyRecord()
      const prefix = `${nameOf(level, key)}[`
      for (const [name, value] of pairs) {
        if (!name.startsWith(prefix) || !name.endsWith(']')) continue
        const inner = name.slice(prefix.length, -1)
        if (!inner.includes('][')) texts[inner] = value
      }
      return texts
    },
  }
}

function nameOf(level: Level, key: string): string {
  if (level === 'callback') return key
  return level === 'request' ? `approval_request[${key}]` : `approval_request[transaction][${key}]`
}

function textsOf(tape: Tape, node: number): Readonly<Record<string, string>> {
  const texts = emptyRecord()
  if (isNothing(tape, node)) return texts
  if (kindOf(tape, node) !== KIND_OBJECT) throw new MalformedCallback()
  for (let member = firstOf(tape, node); member !== 0; member = nextOf(tape, member)) {
    // The service knows only texts here; whatever else an application managed to send is of no use to anybody.
    if (!isContainer(tape, member)) texts[keyOf(tape, member)] = textOf(tape, member)
  }
  return texts
}

// `__proto__` is a key like any other.
function emptyRecord(): Record<string, string> {
  return Object.create(null) as Record<string, string>
}

function isNothing(tape: Tape, node: number): boolean {
  return isContainer(tape, node) ? firstOf(tape, node) === 0 : textOf(tape, node) === ''
}

function innerObject(tape: Tape, object: number, key: string): number | undefined {
  const node = findMember(tape, object, key)
  if (node === undefined || isNothing(tape, node)) return undefined
  if (kindOf(tape, node) !== KIND_OBJECT) throw new MalformedCallback()
  refuseBrackets(tape, node)
  return node
}

/**
 * `{"a":{"b":1}}` and `{"a[b]":1}` have the same signature, so whoever relays a callback could fold a field away from where
 * we look for it. Keys of the protocol have no brackets: one that has was folded.
 */
function refuseBrackets(tape: Tape, object: number): void {
  for (let member = firstOf(tape, object); member !== 0; member = nextOf(tape, member)) {
    if (!hasPlainKey(tape, member) && /[[\]]/.test(keyOf(tape, member))) throw new MalformedCallback()
  }
}
