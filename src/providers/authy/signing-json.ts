import { isUtf8 } from 'node:buffer'
import { CONTROL, QUOTE, stringClass } from './signing-bytes.js'
import { unescapeString } from './signing-escapes.js'
import { SigningFault, limits } from './signing-fault.js'
import { readNumber } from './signing-number.js'
import { MemberOrder } from './signing-order.js'
import {
  doubled,
  FIRST,
  FLAGS,
  KEY_END,
  KEY_PLAIN,
  KEY_START,
  KIND,
  KIND_ARRAY,
  KIND_FALSE,
  KIND_NULL,
  KIND_NUMBER,
  KIND_OBJECT,
  KIND_STRING,
  KIND_TRUE,
  NEXT,
  NODE_SIZE,
  type Tape,
  tapeFor,
  VALUE_END,
  VALUE_PLAIN,
  VALUE_START,
} from './signing-tape.js'

/**
 * A JSON reader that keeps what a signature over parameters needs and `JSON.parse` loses: the text of numbers, and
 * whether a key came twice. One pass over the bytes into a {@link Tape}; no objects are made, nothing has a prototype.
 *
 * The tape belongs to all callers and is good until the next call. The bytes handed in are not written to.
 *
 * @throws {@link SigningFault} for everything but one JSON object in valid UTF-8 within the {@link limits}.
 */
export function readJsonObject(body: Uint8Array): Tape {
  if (body.length > limits.bytes) throw new SigningFault('too-large')
  if (!isUtf8(body)) throw new SigningFault('not-utf8')
  const tape = tapeFor(body)
  new Reader(tape).readDocument(body.length)
  return tape
}

class Reader {
  private readonly tape: Tape
  private readonly source: Buffer
  private readonly order: MemberOrder
  private at = 0
  private used = 0
  private pairs = 0
  private empties = 0
  // The string read last: where it ends once unescaped, and VALUE_PLAIN or 0.
  private stringEnd = 0
  private stringPlain = 0

  constructor(tape: Tape) {
    this.tape = tape
    this.source = tape.source
    this.order = new MemberOrder(tape)
  }

  readDocument(length: number): void {
    if (this.skipSpace() !== 0x7b) throw new SigningFault('not-object')
    this.readValue(this.addNode(), 0x7b, 1)
    this.skipSpace()
    if (this.at !== length) throw new SigningFault('not-json')
  }

  private skipSpace(): number {
    const { source } = this
    let at = this.at
    let byte = source[at] ?? 0
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = source[(at += 1)] ?? 0
    this.at = at
    return byte
  }

  private addNode(): number {
    const node = this.used
    this.used += NODE_SIZE
    if (this.used > this.tape.nodes.length) this.tape.nodes = doubled(this.tape.nodes)
    return node
  }

  private readValue(node: number, byte: number, depth: number): void {
    const { nodes } = this.tape
    if (byte === 0x7b || byte === 0x5b) {
      if (depth > limits.depth) throw new SigningFault('too-deep')
      nodes[node + KIND] = byte === 0x7b ? KIND_OBJECT : KIND_ARRAY
      nodes[node + FLAGS] = 0
      nodes[node + FIRST] = 0
      this.at += 1
      if (byte === 0x7b) this.readMembers(node, depth)
      else this.readElements(node, depth)
      return
    }
    if ((this.pairs += 1) > limits.pairs) throw new SigningFault('too-many-pairs')
    if (byte !== 0x22) {
      this.readScalar(node, byte)
      return
    }
    this.at += 1
    nodes[node + KIND] = KIND_STRING
    nodes[node + VALUE_START] = this.at
    this.readString()
    nodes[node + VALUE_END] = this.stringEnd
    nodes[node + FLAGS] = this.stringPlain
  }

  private readMembers(object: number, depth: number): void {
    let byte = this.skipSpace()
    if (byte === 0x7d) {
      this.endEmpty()
      return
    }
    const base = this.order.open()
    for (;;) {
      if (byte !== 0x22) throw new SigningFault('not-json')
      this.readMember(base, depth)
      byte = this.skipSpace()
      this.at += 1
      if (byte === 0x7d) break
      if (byte !== 0x2c) throw new SigningFault('not-json')
      byte = this.skipSpace()
    }
    this.order.close(base, object, depth === 1)
  }

  private readMember(base: number, depth: number): void {
    const member = this.addNode()
    this.at += 1
    this.tape.nodes[member + KEY_START] = this.at
    this.readString()
    this.tape.nodes[member + KEY_END] = this.stringEnd
    const keyPlain = this.stringPlain === VALUE_PLAIN ? KEY_PLAIN : 0
    if (this.skipSpace() !== 0x3a) throw new SigningFault('not-json')
    this.at += 1
    this.readValue(member, this.skipSpace(), depth + 1)
    const { nodes } = this.tape
    nodes[member + FLAGS] = (nodes[member + FLAGS] ?? 0) | keyPlain
    this.order.insert(base, member)
  }

  private readElements(array: number, depth: number): void {
    let byte = this.skipSpace()
    if (byte === 0x5d) {
      this.endEmpty()
      return
    }
    let previous = 0
    for (;;) {
      const element = this.addNode()
      this.readValue(element, byte, depth + 1)
      const { nodes } = this.tape
      nodes[element + NEXT] = 0
      if (previous === 0) nodes[array + FIRST] = element
      else nodes[previous + NEXT] = element
      previous = element
      byte = this.skipSpace()
      this.at += 1
      if (byte === 0x5d) return
      if (byte !== 0x2c) throw new SigningFault('not-json')
      byte = this.skipSpace()
    }
  }

  private endEmpty(): void {
    this.at += 1
    if ((this.empties += 1) > limits.pairs) throw new SigningFault('too-many-pairs')
  }

  private readScalar(node: number, byte: number): void {
    const { nodes } = this.tape
    const start = this.at
    nodes[node + VALUE_START] = start
    nodes[node + FLAGS] = VALUE_PLAIN
    if (byte === 0x6e) {
      this.readWord('null')
      nodes[node + KIND] = KIND_NULL
      // The value of null is the empty text.
      nodes[node + VALUE_END] = start
      return
    }
    if (byte === 0x74 || byte === 0x66) {
      this.readWord(byte === 0x74 ? 'true' : 'false')
      nodes[node + KIND] = byte === 0x74 ? KIND_TRUE : KIND_FALSE
    } else {
      this.at = readNumber(this.source, start)
      nodes[node + KIND] = KIND_NUMBER
      // 1e+5 has a byte that is encoded.
      nodes[node + FLAGS] = 0
    }
    nodes[node + VALUE_END] = this.at
  }

  private readWord(word: string): void {
    const { source, at } = this
    for (let index = 1; index < word.length; index += 1) {
      if (source[at + index] !== word.charCodeAt(index)) throw new SigningFault('not-json')
    }
    this.at = at + word.length
  }

  private readString(): void {
    const { source } = this
    const classes = stringClass
    let at = this.at
    let kind = classes[source[at] ?? 0] ?? CONTROL
    // Two loops, because most strings never leave the first, and a variable of a module costs a load at each turn.
    while (kind === 0) kind = classes[source[(at += 1)] ?? 0] ?? 0
    this.stringPlain = kind === QUOTE ? VALUE_PLAIN : 0
    while (kind < 2) kind = classes[source[(at += 1)] ?? 0] ?? 0
    if (kind !== QUOTE) {
      this.readEscaped(at)
      return
    }
    this.stringEnd = at
    this.at = at + 1
  }

  private readEscaped(from: number): void {
    const { end, next } = unescapeString(this.source, from)
    this.stringEnd = end
    this.stringPlain = 0
    this.at = next
  }
}
