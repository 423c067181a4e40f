/** Something with an end. */
export interface Expiring {
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * A map whose entries end, with a heap of their ends beside it: so the expired ones are found without looking at the
 * living, and a full map costs an attacker's victim no scan.
 */
export class ExpiringMap<T extends Expiring> {
  readonly #entries = new Map<string, T>()
  // Entries that were replaced or deleted stay here until they come up or the heap is rebuilt.
  #heap: T[] = []

  get size(): number {
    return this.#entries.size
  }

  get(key: string, now: number): T | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.expiresAt > now ? entry : undefined
  }

  /** The entry that is kept, living or not. */
  peek(key: string): T | undefined {
    return this.#entries.get(key)
  }

  set(entry: T): void {
    this.#entries.set(entry.key, entry)
    this.#push(entry)
    if (this.#heap.length > 2 * this.#entries.size + 64) this.#rebuild()
  }

  delete(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#entries.delete(key)
    return entry
  }

  /** Drops up to `limit` expired entries, and tells each to `dropped`. */
  sweep(now: number, limit: number, dropped?: (entry: T) => void): void {
    for (let done = 0; done < limit; done += 1) {
      const first = this.#heap[0]
      if (first === undefined || first.expiresAt > now) return
      this.#pop()
      if (this.#entries.get(first.key) !== first) continue
      this.#entries.delete(first.key)
      dropped?.(first)
    }
  }

  #push(entry: T): void {
    const heap = this.#heap
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.expiresAt <= entry.expiresAt) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = heap[2 * index + 1]
      const right = heap[2 * index + 2]
      const useRight = left !== undefined && right !== undefined && right.expiresAt < left.expiresAt
      const child = useRight ? right : left
      if (child === undefined || child.expiresAt >= last.expiresAt) break
      heap[index] = child
      index = 2 * index + (useRight ? 2 : 1)
    }
    heap[index] = last
  }

  #rebuild(): void {
    // A sorted array is a heap.
    this.#heap = [...this.#entries.values()].sort((a, b) => a.expiresAt - b.expiresAt)
  }
}
