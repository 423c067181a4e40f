import { encodedFirst, hexHigh, hexLow, PLAIN, stringClass, wordClass } from './signing-bytes.js'
import { SigningFault, limits } from './signing-fault.js'
import { macRoom } from './signing-mac.js'
import {
  FIRST,
  FLAGS,
  KEY_END,
  KEY_PLAIN,
  KEY_START,
  KIND,
  KIND_OBJECT,
  NEXT,
  SLACK,
  SORT_BLOCKS,
  type Tape,
  VALUE_END,
  VALUE_PLAIN,
  VALUE_START,
  viewOf,
} from './signing-tape.js'

const PERCENT = 0x25
const KEPT_BYTES = 64 * 1024
// Writing is synchronous: one output serves all callers, and one that grew beyond the usual is let go.
const keptOutput = roomOf(KEPT_BYTES)
const keptPrefix = roomOf(4 * 1024)

/** Bytes to write to, one by one or four at a time. */
interface Room {
  readonly bytes: Buffer
  readonly view: DataView
}

function roomOf(length: number): Room {
  const bytes = Buffer.allocUnsafeSlow(length)
  return { bytes, view: viewOf(bytes) }
}

/**
 * Writes `head` (UTF-8) and the joined parameters of a tape: names in brackets, form-encoded, members in the order of
 * their encoded text, array elements as they came.
 *
 * @returns a view, good until the next call, with room for the key block of the MAC before the text.
 * @throws {@link SigningFault} if the parameters are longer than {@link limits.joinedBytes}.
 */
export function writeParameters(tape: Tape, head: string): Buffer {
  return new Writer(tape).write(head)
}

class Writer {
  private readonly nodes: Int32Array
  private readonly source: DataView
  private output = keptOutput
  private prefix = keptPrefix
  private at = 0

  constructor(tape: Tape) {
    this.nodes = tape.nodes
    this.source = tape.view
  }

  write(head: string): Buffer {
    this.reserve(macRoom + head.length * 3)
    this.at = macRoom + this.output.bytes.write(head, macRoom)
    const start = this.at
    this.writeMembers(0, 0)
    // Every pair ends with an ampersand; the last one has none.
    return this.output.bytes.subarray(0, this.at > start ? this.at - 1 : this.at)
  }

  /** `length` is that of the name so far, with the opening bracket: 0 for the outermost object. */
  private writeMembers(object: number, length: number): void {
    if (((this.nodes[object + FLAGS] ?? 0) & SORT_BLOCKS) !== 0) {
      this.writeSortedBlocks(object, length)
      return
    }
    for (let member = this.nodes[object + FIRST] ?? 0; member !== 0; member = this.nodes[member + NEXT] ?? 0) {
      this.writeMember(member, length)
    }
  }

  private writeMember(member: number, length: number): void {
    const { nodes } = this
    const keyRoom = 3 * ((nodes[member + KEY_END] ?? 0) - (nodes[member + KEY_START] ?? 0)) + 16
    if ((nodes[member + KIND] ?? 0) < KIND_OBJECT) {
      this.reserve(length + keyRoom + this.valueRoom(member))
      this.copyPrefix(length)
      const at = this.writeKey(member, this.output, this.at)
      this.at = length === 0 ? at : closeBracket(this.output.bytes, at)
      this.writeValue(member)
    } else if (nodes[member + FIRST] !== 0) {
      this.reservePrefix(length + keyRoom)
      const at = this.writeKey(member, this.prefix, length)
      this.writeContainer(member, length === 0 ? at : closeBracket(this.prefix.bytes, at))
    }
  }

  private writeContainer(node: number, length: number): void {
    this.reservePrefix(length + 16)
    const inner = openBracket(this.prefix.bytes, length)
    if (this.nodes[node + KIND] === KIND_OBJECT) this.writeMembers(node, inner)
    else this.writeElements(node, closeBracket(this.prefix.bytes, inner))
  }

  private writeElements(array: number, length: number): void {
    const { nodes } = this
    for (let element = nodes[array + FIRST] ?? 0; element !== 0; element = nodes[element + NEXT] ?? 0) {
      if ((nodes[element + KIND] ?? 0) < KIND_OBJECT) {
        this.reserve(length + 16 + this.valueRoom(element))
        this.copyPrefix(length)
        this.writeValue(element)
      } else if (nodes[element + FIRST] !== 0) {
        this.writeContainer(element, length)
      }
    }
  }

  /** The rare object in which the order of keys doesn't settle that of their blocks: writes the blocks, then sorts them. */
  private writeSortedBlocks(object: number, length: number): void {
    const { nodes } = this
    const start = this.at
    const ends: number[] = []
    for (let member = nodes[object + FIRST] ?? 0; member !== 0; member = nodes[member + NEXT] ?? 0) {
      this.writeMember(member, length)
      ends.push(this.at)
    }
    const written = Buffer.from(this.output.bytes.subarray(start, this.at))
    const blocks = ends
      .map((end, index) => written.subarray((index === 0 ? start : (ends[index - 1] ?? 0)) - start, end - start))
      .filter((block) => block.length > 0)
    // The ampersand that ends a block is not a part of its text.
    blocks.sort((a, b) => a.compare(b, 0, b.length - 1, 0, a.length - 1))
    this.at = start
    for (const block of blocks) {
      this.output.bytes.set(block, this.at)
      this.at += block.length
    }
  }

  private valueRoom(node: number): number {
    return 3 * ((this.nodes[node + VALUE_END] ?? 0) - (this.nodes[node + VALUE_START] ?? 0))
  }

  private writeKey(member: number, target: Room, at: number): number {
    const { nodes } = this
    const start = nodes[member + KEY_START] ?? 0
    const end = nodes[member + KEY_END] ?? 0
    return ((nodes[member + FLAGS] ?? 0) & KEY_PLAIN) !== 0
      ? copy(this.source, start, end, target.view, at)
      : encode(this.source, start, end, target.view, at)
  }

  private writeValue(node: number): void {
    const { nodes } = this
    const { bytes, view } = this.output
    const start = nodes[node + VALUE_START] ?? 0
    const end = nodes[node + VALUE_END] ?? 0
    let at = this.at
    bytes[at] = 0x3d
    at =
      ((nodes[node + FLAGS] ?? 0) & VALUE_PLAIN) !== 0
        ? copy(this.source, start, end, view, at + 1)
        : encode(this.source, start, end, view, at + 1)
    bytes[at] = 0x26
    this.at = at + 1
  }

  private copyPrefix(length: number): void {
    this.at = copy(this.prefix.view, 0, length, this.output.view, this.at)
  }

  private reserve(room: number): void {
    if (this.at + room + SLACK <= this.output.bytes.length) return
    if (this.at > limits.joinedBytes) throw new SigningFault('too-large')
    const larger = roomOf(2 * (this.at + room) + SLACK)
    larger.bytes.set(this.output.bytes.subarray(0, this.at))
    this.output = larger
  }

  private reservePrefix(room: number): void {
    if (room + SLACK <= this.prefix.bytes.length) return
    const larger = roomOf(2 * room + SLACK)
    larger.bytes.set(this.prefix.bytes)
    this.prefix = larger
  }
}

function openBracket(target: Uint8Array, at: number): number {
  target[at] = 0x25
  target[at + 1] = 0x35
  target[at + 2] = 0x42
  return at + 3
}

function closeBracket(target: Uint8Array, at: number): number {
  target[at] = 0x25
  target[at + 1] = 0x35
  target[at + 2] = 0x44
  return at + 3
}

/** Four bytes at a time, and so up to {@link SLACK} beyond the end, which are overwritten or never looked at. */
function copy(source: DataView, start: number, end: number, target: DataView, at: number): number {
  let write = at
  for (let read = start; read < end; read += 4) {
    target.setUint32(write, source.getUint32(read, true), true)
    write += 4
  }
  return at + end - start
}

function encode(source: DataView, start: number, end: number, target: DataView, at: number): number {
  const classes = stringClass
  let write = at
  let read = start
  while (read < end) {
    const word = source.getUint32(read, true)
    if (wordClass(classes, word) === PLAIN && read + 4 <= end) {
      target.setUint32(write, word, true)
      read += 4
      write += 4
      continue
    }
    const byte = word & 255
    const first = encodedFirst[byte] ?? 0
    target.setUint8(write, first)
    read += 1
    write += 1
    // A percent sign itself is not unreserved, so this is true of every escaped byte and of no other.
    if (first === PERCENT) {
      target.setUint8(write, hexHigh[byte] ?? 0)
      target.setUint8(write + 1, hexLow[byte] ?? 0)
      write += 2
    }
  }
  return write
}
