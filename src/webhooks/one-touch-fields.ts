import {
  findMember,
  hasPlainKey,
  isContainer,
  keyOf,
  kindOf,
  membersOf,
  OUTERMOST,
  textOf,
} from '../providers/authy/signing-members.js'
import { KIND_OBJECT, type Tape } from '../providers/authy/signing-tape.js'
import { decodeQuery } from './query.js'

/** Where a field of a callback stands: `['approval_request', 'app_id']`. */
export type FieldPath = readonly [string, ...string[]]

/**
 * The fields of a callback whose signature was checked, however they came. The scheme can't tell null, the empty text and
 * an absent field apart, nor a number from its text: so all values are text, and the first three are undefined.
 */
export interface CallbackFields {
  text(path: FieldPath): string | undefined
  /** An object of texts, such as `details`. Without a prototype. */
  texts(path: FieldPath): Readonly<Record<string, string>>
}

/** The callback is signed, yet not of the shape that the service sends. */
export class MalformedCallback extends Error {}

/** Reads the body of a POST. Good until the next body is read. */
export function fieldsOfTape(tape: Tape): CallbackFields {
  return {
    text(path) {
      const node = descend(tape, path)
      if (node === undefined) return undefined
      if (isContainer(tape, node)) throw new MalformedCallback()
      return textOf(tape, node) || undefined
    },
    texts(path) {
      const node = descend(tape, path)
      const texts = emptyRecord()
      if (node === undefined || (!isContainer(tape, node) && textOf(tape, node) === '')) return texts
      if (kindOf(tape, node) !== KIND_OBJECT) throw new MalformedCallback()
      for (const member of membersOf(tape, node)) {
        // The service knows only texts here; whatever else an application managed to send is of no use to anybody.
        if (!isContainer(tape, member)) texts[keyOf(tape, member)] = textOf(tape, member)
      }
      return texts
    },
  }
}

/** Reads the query of a GET. */
export function fieldsOfQuery(rawQuery: string): CallbackFields {
  const pairs = decodeQuery(rawQuery)
  if (pairs === undefined) throw new MalformedCallback()
  return {
    text: (path) => pairs.get(nameOf(path)) || undefined,
    texts(path) {
      const texts = emptyRecord()
      const prefix = `${nameOf(path)}[`
      for (const [name, value] of pairs) {
        if (!name.startsWith(prefix) || !name.endsWith(']')) continue
        const key = name.slice(prefix.length, -1)
        if (!key.includes('][')) texts[key] = value
      }
      return texts
    },
  }
}

// `__proto__` is a key like any other.
function emptyRecord(): Record<string, string> {
  return Object.create(null) as Record<string, string>
}

function nameOf([first, ...rest]: FieldPath): string {
  return first + rest.map((key) => `[${key}]`).join('')
}

function descend(tape: Tape, path: FieldPath): number | undefined {
  let node: number | undefined = OUTERMOST
  for (const key of path) {
    if (kindOf(tape, node) !== KIND_OBJECT) throw new MalformedCallback()
    refuseBrackets(tape, node)
    node = findMember(tape, node, key)
    if (node === undefined) return undefined
  }
  return node
}

/**
 * `{"a":{"b":1}}` and `{"a[b]":1}` have the same signature, so whoever relays a callback could fold a field away from where
 * we look for it. Keys of the protocol have no brackets: one that has was folded.
 */
function refuseBrackets(tape: Tape, object: number): void {
  for (const member of membersOf(tape, object)) {
    if (!hasPlainKey(tape, member) && /[[\]]/.test(keyOf(tape, member))) throw new MalformedCallback()
  }
}
