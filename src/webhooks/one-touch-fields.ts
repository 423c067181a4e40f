import {
  digitsOf,
  findMember,
  firstOf,
  hasPlainKey,
  isContainer,
  isText,
  keyOf,
  kindOf,
  lengthOf,
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
  /** Which of these words (ASCII) a field is, or `other`. */
  word<W extends string>(level: Level, key: string, words: readonly W[]): W | 'other' | undefined
  /** One to twelve digits, as a number. */
  seconds(level: Level, key: string): number | undefined
  /** An object of texts, such as `details`. Without a prototype. */
  texts(level: Level, key: string): Readonly<Record<string, string>>
}

/** The callback is signed, yet not of the shape that the service sends. */
export class MalformedCallback extends Error {}

/** Reads the body of a POST. Good until the next body is read. */
export function fieldsOfTape(tape: Tape): CallbackFields {
  return new TapeFields(tape)
}

const SECONDS = /^[0-9]{1,12}$/
const SECONDS_DIGITS = 12
const NOT_THERE = -1

/** What is only compared, or is a number, is read from its bytes: a text for each would be most of the work. */
class TapeFields implements CallbackFields {
  private readonly tape: Tape
  private readonly request: number
  private readonly transaction: number

  constructor(tape: Tape) {
    this.tape = tape
    refuseBrackets(tape, OUTERMOST)
    this.request = innerObject(tape, OUTERMOST, 'approval_request')
    this.transaction = innerObject(tape, this.request, 'transaction')
  }

  text(level: Level, key: string): string | undefined {
    const node = this.scalar(level, key)
    return node === NOT_THERE ? undefined : textOf(this.tape, node)
  }

  word<W extends string>(level: Level, key: string, words: readonly W[]): W | 'other' | undefined {
    const node = this.scalar(level, key)
    if (node === NOT_THERE) return undefined
    for (const word of words) if (isText(this.tape, node, word)) return word
    return 'other'
  }

  seconds(level: Level, key: string): number | undefined {
    const node = this.scalar(level, key)
    if (node === NOT_THERE) return undefined
    const seconds = digitsOf(this.tape, node, SECONDS_DIGITS)
    if (seconds === undefined) throw new MalformedCallback()
    return seconds
  }

  texts(level: Level, key: string): Readonly<Record<string, string>> {
    const node = this.find(level, key)
    return node === NOT_THERE ? noTexts : textsOf(this.tape, node)
  }

  private scalar(level: Level, key: string): number {
    const node = this.find(level, key)
    if (node === NOT_THERE || isNothing(this.tape, node)) return NOT_THERE
    if (isContainer(this.tape, node)) throw new MalformedCallback()
    return node
  }

  private find(level: Level, key: string): number {
    const object = level === 'callback' ? OUTERMOST : level === 'request' ? this.request : this.transaction
    return object === NOT_THERE ? NOT_THERE : (findMember(this.tape, object, key) ?? NOT_THERE)
  }
}

/** Reads the query of a GET. */
export function fieldsOfQuery(rawQuery: string): CallbackFields {
  const pairs = decodeQuery(rawQuery)
  if (pairs === undefined) throw new MalformedCallback()
  const text = (level: Level, key: string): string | undefined => pairs.get(nameOf(level, key)) || undefined
  return {
    text,
    word(level, key, words) {
      const given = text(level, key)
      return given === undefined ? undefined : (words.find((word) => word === given) ?? 'other')
    },
    seconds(level, key) {
      const given = text(level, key)
      if (given === undefined) return undefined
      if (!SECONDS.test(given)) throw new MalformedCallback()
      return Number(given)
    },
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
  if (isNothing(tape, node)) return noTexts
  if (kindOf(tape, node) !== KIND_OBJECT) throw new MalformedCallback()
  const texts = emptyRecord()
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

const noTexts: Readonly<Record<string, string>> = Object.freeze(emptyRecord())

function isNothing(tape: Tape, node: number): boolean {
  return isContainer(tape, node) ? firstOf(tape, node) === 0 : lengthOf(tape, node) === 0
}

function innerObject(tape: Tape, object: number, key: string): number {
  const node = object === NOT_THERE ? undefined : findMember(tape, object, key)
  if (node === undefined || isNothing(tape, node)) return NOT_THERE
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
