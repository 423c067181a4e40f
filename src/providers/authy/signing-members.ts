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
