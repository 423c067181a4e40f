import { encodedFirst, encodedRank } from './signing-bytes.js'
import { SigningFault } from './signing-fault.js'
import {
  doubled,
  FIRST,
  FLAGS,
  KEY_END,
  KEY_START,
  KIND,
  KIND_OBJECT,
  NEXT,
  SORT_BLOCKS,
  type Tape,
} from './signing-tape.js'

const DUPLICATE = 0
const PERCENT = 0x25
const EQUALS = 0x3d

/**
 * Keeps the members of the objects that are being read in the order of their encoded keys, and finds duplicates.
 *
 * Encoding is one to one and works byte by byte, so keys compare by the rank of their first different byte, without being
 * encoded. Where one key begins another, what follows the shorter one decides: see {@link MemberOrder.close}.
 */
export class MemberOrder {
  private readonly tape: Tape
  private top = 0
  private sawPrefix = false

  constructor(tape: Tape) {
    this.tape = tape
  }

  /** Begins an object; hand the result to the other two. */
  open(): number {
    return this.top
  }

  /** Puts a member in its place. @throws {@link SigningFault} if its key is there already. */
  insert(base: number, member: number): void {
    if (this.top === this.tape.stack.length) this.tape.stack = doubled(this.tape.stack)
    const { stack } = this.tape
    let low = base
    let high = this.top
    this.top += 1
    // Binary search: an attacker's two thousand keys must not cost a million comparisons.
    while (low < high) {
      const middle = (low + high) >> 1
      const order = this.compareKeys(stack[middle] ?? 0, member)
      if (order === DUPLICATE) throw new SigningFault('duplicate-key')
      if (order < 0) low = middle + 1
      else high = middle
    }
    for (let at = this.top - 1; at > low; at -= 1) stack[at] = stack[at - 1] ?? 0
    stack[low] = member
  }

  /** Ends an object: links its members in order. */
  close(base: number, object: number, isOutermost: boolean): void {
    const { nodes, stack } = this.tape
    if (this.sawPrefix && !this.blocksAscend(base, isOutermost)) nodes[object + FLAGS] = SORT_BLOCKS
    let next = 0
    for (let at = this.top - 1; at >= base; at -= 1) {
      const member = stack[at] ?? 0
      nodes[member + NEXT] = next
      next = member
    }
    nodes[object + FIRST] = next
    this.top = base
  }

  private compareKeys(a: number, b: number): number {
    const { nodes, source } = this.tape
    let left = nodes[a + KEY_START] ?? 0
    let right = nodes[b + KEY_START] ?? 0
    const leftEnd = nodes[a + KEY_END] ?? 0
    const rightEnd = nodes[b + KEY_END] ?? 0
    while (left < leftEnd && right < rightEnd) {
      const x = source[left] ?? 0
      const y = source[right] ?? 0
      if (x !== y) return (encodedRank[x] ?? 0) - (encodedRank[y] ?? 0)
      left += 1
      right += 1
    }
    if (left < leftEnd) {
      this.sawPrefix = true
      return 1
    }
    if (right < rightEnd) {
      this.sawPrefix = true
      return -1
    }
    return DUPLICATE
  }

  /**
   * Whether the order of the keys certainly is the order of the blocks. A name goes on with `%5D` after a nested key, and
   * with `=` or `%5B` after an outermost one; where that meets another `%` in the longer key, only the blocks can tell.
   */
  private blocksAscend(base: number, isOutermost: boolean): boolean {
    const { nodes, source, stack } = this.tape
    for (let at = base + 1; at < this.top; at += 1) {
      const shorter = stack[at - 1] ?? 0
      const longer = stack[at] ?? 0
      const length = (nodes[shorter + KEY_END] ?? 0) - (nodes[shorter + KEY_START] ?? 0)
      const rest = (nodes[longer + KEY_START] ?? 0) + length
      if (rest >= (nodes[longer + KEY_END] ?? 0) || !this.begins(shorter, longer, length)) continue
      const isLeaf = (nodes[shorter + KIND] ?? 0) < KIND_OBJECT
      const follows = isOutermost && isLeaf ? EQUALS : PERCENT
      if (follows >= (encodedFirst[source[rest] ?? 0] ?? 0)) return false
    }
    return true
  }

  private begins(shorter: number, longer: number, length: number): boolean {
    const { nodes, source } = this.tape
    const left = nodes[shorter + KEY_START] ?? 0
    const right = nodes[longer + KEY_START] ?? 0
    for (let at = 0; at < length; at += 1) if (source[left + at] !== source[right + at]) return false
    return true
  }
}
