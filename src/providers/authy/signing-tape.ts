// Fields of a node. All offsets are into `source`.
export const KIND = 0
export const FLAGS = 1
export const KEY_START = 2
export const KEY_END = 3
export const VALUE_START = 4
export const VALUE_END = 5
/** The first member or element, 0 for none. */
export const FIRST = 6
/** The next member (in order of the encoded keys) or element (as it came), 0 for none. */
export const NEXT = 7
export const NODE_SIZE = 8

// Kinds of a node; from KIND_OBJECT on they are containers.
export const KIND_NULL = 0
export const KIND_TRUE = 1
export const KIND_FALSE = 2
export const KIND_NUMBER = 3
export const KIND_STRING = 4
export const KIND_OBJECT = 5
export const KIND_ARRAY = 6

// Flags of a node.
/** Key, or value, is made of unreserved bytes only and needs no encoding. */
export const KEY_PLAIN = 1
export const VALUE_PLAIN = 2
/** The order of the encoded keys doesn't decide the order of the members' blocks. */
export const SORT_BLOCKS = 4

/** A JSON document as numbers: nodes of {@link NODE_SIZE} fields that point into a copy of its bytes. */
export interface Tape {
  /** The bytes, with the escapes of each string undone in place, and a zero after the end. */
  source: Buffer
  /** The same bytes, and {@link SLACK} more: what is to be copied is read four bytes at a time. */
  view: DataView
  nodes: Int32Array<ArrayBuffer>
  /** Members of the objects that are being read, to be sorted. */
  stack: Int32Array<ArrayBuffer>
}

const KEPT_BYTES = 16 * 1024

/** How many bytes may be read and written beyond the end of what is copied. */
export const SLACK = 3

function newTape(bytes: number): Tape {
  const source = Buffer.allocUnsafeSlow(bytes + 1 + SLACK)
  return {
    source,
    view: viewOf(source),
    nodes: new Int32Array(512 * NODE_SIZE),
    stack: new Int32Array(256),
  }
}

// Reading is synchronous, so one tape serves all callers; a body that is larger than real ones get one of its own.
const kept = newTape(KEPT_BYTES)

/** A tape that holds a copy of the body. */
export function tapeFor(body: Uint8Array): Tape {
  const tape = body.length <= KEPT_BYTES ? kept : newTape(body.length)
  tape.source.set(body)
  tape.source[body.length] = 0
  return tape
}

/** A view of the same memory. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The same numbers with twice the room. */
export function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}
