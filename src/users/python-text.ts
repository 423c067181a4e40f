// The original writes values into its error texts as its own language shows them: 'x', None, True, {'a': 1}, 1.0.
// Front ends show these texts, so they stay. JSON.parse forgets whether a number was written 1 or 1.0; the source knows.

const MAX_TEXT = 1000
const MAX_DEPTH = 32

/** A place in a JSON document: member names and array indexes. */
export type JsonPath = readonly (string | number)[]

/** How the original shows the value at a place of a valid JSON document. Long or deep values are cut. */
export function pythonTextAt(source: string, path: JsonPath): string {
  const reader = new SourceReader(source)
  for (const step of path) reader.enter(step)
  const text = reader.show(0)
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text
}

/** A text in quotes, as the original shows it. */
export function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(/[\\\p{C}\p{Zl}\p{Zp}]|[^\S ]/gu, escapeCharacter)
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`
}

const shortEscapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escapeCharacter(character: string): string {
  const short = shortEscapes[character]
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}

function pythonNumber(source: string): string {
  if (!/[.eE]/.test(source)) return source === '-0' ? '0' : source
  const value = Number(source)
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const [mantissa = '0', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  const plain = Object.is(value, -0)
    ? '-0'
    : value < 1e-5 && value > -1e-5 && value !== 0
      ? value.toFixed(20)
      : String(value)
  return Number.isInteger(value) ? `${plain}.0` : plain
}

// Walks over a document that JSON.parse has accepted already, so nothing is checked again.
class SourceReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
    this.#blanks()
  }

  enter(step: string | number): void {
    const open = this.#next()
    let found: number | undefined
    for (let index = 0; ; index += 1) {
      this.#blanks()
      const key = open === '{' ? this.#key() : index
      if (key === step) found = this.#at
      this.#skip()
      this.#blanks()
      // The last of several members with one name counts, so the object is read to its end.
      if (this.#next() !== ',') break
    }
    if (found === undefined) throw new RangeError('there is no such place')
    this.#at = found
  }

  show(depth: number): string {
    this.#blanks()
    const start = this.#source[this.#at]
    if (start === '{' || start === '[') return this.#showAll(start, depth)
    if (start === '"') return pythonString(this.#string())
    const word = this.#word()
    if (word === 'true') return 'True'
    if (word === 'false') return 'False'
    return word === 'null' ? 'None' : pythonNumber(word)
  }

  #showAll(open: string, depth: number): string {
    const close = open === '{' ? '}' : ']'
    if (depth >= MAX_DEPTH) {
      this.#skip()
      return `${open}...${close}`
    }
    this.#next()
    // Of several members with one name the last counts, at the place of the first.
    const parts = new Map<string | number, string>()
    let length = 0
    for (;;) {
      this.#blanks()
      if (this.#source[this.#at] === close) break
      if (this.#source[this.#at] === ',') {
        this.#next()
        this.#blanks()
      }
      const key = open === '{' ? this.#key() : parts.size
      const part = (typeof key === 'string' ? `${pythonString(key)}: ` : '') + this.show(depth + 1)
      parts.set(key, part)
      length += part.length
      if (length > MAX_TEXT) break
    }
    this.#next()
    return `${open}${[...parts.values()].join(', ')}${close}`
  }

  #key(): string {
    const key = this.#string()
    this.#blanks()
    this.#next()
    return key
  }

  #string(): string {
    const start = this.#at
    for (this.#at += 1; this.#source[this.#at] !== '"'; this.#at += 1)
      if (this.#source[this.#at] === '\\') this.#at += 1
    this.#at += 1
    return String(JSON.parse(this.#source.slice(start, this.#at)))
  }

  #word(): string {
    const start = this.#at
    while (/[^\s,\]}]/.test(this.#source[this.#at] ?? ',')) this.#at += 1
    return this.#source.slice(start, this.#at)
  }

  // Not recursive: a document may be nested deeper than the stack.
  #skip(): void {
    let depth = 0
    do {
      this.#blanks()
      const start = this.#source[this.#at]
      if (start === '"') this.#string()
      else if (start === '{' || start === '[') {
        depth += 1
        this.#next()
      } else if (start === '}' || start === ']') {
        depth -= 1
        this.#next()
      } else if (start === ',' || start === ':') this.#next()
      else this.#word()
    } while (depth > 0)
  }

  #blanks(): void {
    while (/\s/.test(this.#source[this.#at] ?? '.')) this.#at += 1
  }

  #next(): string | undefined {
    const character = this.#source[this.#at]
    this.#at += 1
    return character
  }
}
