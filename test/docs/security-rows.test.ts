import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|py)$/.test(file) && !file.endsWith('security-rows.test.ts'))
  .map((file) => readFileSync(join(root, 'test', file), 'utf8'))

const rows = readFileSync(join(root, 'docs/security.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| *\d/.test(line))
  .map((line) => {
    const [, number = '', how = '', names = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    return { number: Number(number), how, names: [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name) }
  })

/** True if the pieces of a name, which `...` parts, stand in one line of a test, in this order. */
function isThere(name: string): boolean {
  const pieces = name.split('...').map((piece) => piece.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  // A quote in a name may be escaped in the source.
  const pattern = new RegExp(pieces.map((piece) => piece.replace(/['"`]/g, '\\\\?$&')).join('.*'))
  return tests.some((source) => pattern.test(source))
}

test('every test that docs/security.md names is there', () => {
  expect(rows.length).toBeGreaterThan(60)
  expect(
    rows.flatMap(({ number, names }) => names.filter((name) => !isThere(name)).map((name) => [number, name])),
  ).toEqual([])
})

test('every row of docs/security.md names a test, or says that the thing is not offered', () => {
  expect(rows.filter(({ how, names }) => names.length === 0 && !how.includes('not offered'))).toEqual([])
})

test('every line that a test holds has a row, and no row stands twice', () => {
  const held = tests.flatMap((source) =>
    [...source.matchAll(/\[SC ([\d, ]+)\]/g)].flatMap(([, list = '']) => list.split(',')),
  )
  const known = new Set(rows.map(({ number }) => number))
  expect([...new Set(held.map(Number))].filter((number) => !known.has(number)).sort((a, b) => a - b)).toEqual([])
  const texts = rows.map(({ number, how }) => `${number} ${how}`)
  expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([])
})

test('every line of the checklist has a row', () => {
  const known = new Set(rows.map(({ number }) => number))
  expect(Array.from({ length: 100 }, (_, index) => index + 1).filter((number) => !known.has(number))).toEqual([])
})

test('the rows of docs/security.md are one table, in order of their numbers', () => {
  const numbers = rows.map(({ number }) => number)
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
})
