import {
  FIRST,
  FLAGS,
  KEY_END,
  KEY_PLAIN,
  KEY_START,
  KIND,
  KIND_OBJECT,
  NEXT,
  type Tape,
  VALUE_END,
  VALUE_PLAIN,
  VALUE_START,
} from './signing-tape.js'

/** The outermost object of a tape. */
export const OUTERMOST = 0

/** An object's first member, in the order of the encoded keys, or 0. */
export function firstOf(tape: Tape, object: number): number {
  return at(tape, object + FIRST)
}

/** The member after this one, or 0. */
export function nextOf(tape: Tape, member: number): number {
  return at(tape, member + NEXT)
}

/** The node of the member with this key, or undefined. */
export function findMember(tape: Tape, object: number, key: string): number | undefined {
  for (let node = at(tape, object + FIRST); node !== 0; node = at(tape, node + NEXT)) {
    const start = at(tape, node + KEY_START)
    if (at(tape, node + KEY_END) - start === key.length && matches(tape, start, key)) return node
  }
  return undefined
}

/** What kind of value a node is: one of the `KIND_` numbers. */
export function kindOf(tape: Tape, node: number): number {
  return at(tape, node + KIND)
}

/** True for objects and arrays. */
export function isContainer(tape: Tape, node: number): boolean {
  return at(tape, node + KIND) >= KIND_OBJECT
}

/** A member's key. */
export function keyOf(tape: Tape, member: number): string {
  return tape.source.toString('utf8', at(tape, member + KEY_START), at(tape, member + KEY_END))
}

/** Whether a member's key is made of unreserved characters only, as the keys of the protocol are. */
export function hasPlainKey(tape: Tape, member: number): boolean {
  return (at(tape, member + FLAGS) & KEY_PLAIN) !== 0
}

/** How many bytes the text of a scalar has: 0 for null. */
export function lengthOf(tape: Tape, node: number): number {
  return at(tape, node + VALUE_END) - at(tape, node + VALUE_START)
}

/** Whether the text of a scalar is this one, which must be ASCII. */
export function isText(tape: Tape, node: number, text: string): boolean {
  return lengthOf(tape, node) === text.length && matches(tape, at(tape, node + VALUE_START), text)
}

/** The number that the text of a scalar stands for, if that is digits and nothing else, and at most so many (15). */
export function digitsOf(tape: Tape, node: number, most: number): number | undefined {
  const length = lengthOf(tape, node)
  if (length === 0 || length > most) return undefined
  let number = 0
  for (let index = at(tape, node + VALUE_START); index < at(tape, node + VALUE_END); index += 1) {
    const digit = (tape.source[index] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return undefined
    number = number * 10 + digit
  }
  return number
}

/** The text of a scalar as it is signed: that of a string unescaped, that of a number as it stands, none for null. */
export function textOf(tape: Tape, node: number): string {
  const isPlain = (at(tape, node + FLAGS) & VALUE_PLAIN) !== 0
  return tape.source.toString(isPlain ? 'latin1' : 'utf8', at(tape, node + VALUE_START), at(tape, node + VALUE_END))
}

function at(tape: Tape, index: number): number {
  return tape.nodes[index] ?? 0
}

function matches(tape: Tape, start: number, key: string): boolean {
  for (let index = 0; index < key.length; index += 1) {
    if (tape.source[start + index] !== key.charCodeAt(index)) return false
  }
  return true
}
