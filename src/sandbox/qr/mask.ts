import type { Grid, QrMatrix } from './grid.js'

const masks: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

/** The masked matrix with the least of what confuses a reader. */
export function applyBestMask(grid: Grid): QrMatrix {
  const candidates = masks.map((_, mask) => masked(grid, mask))
  return candidates.reduce((best, candidate) => (penalty(candidate) < penalty(best) ? candidate : best))
}

function masked(grid: Grid, mask: number): boolean[][] {
  const invert = masks[mask] ?? (() => false)
  const dark = grid.dark.map((row, y) =>
    row.map((module, x) => (grid.fixed[y]?.[x] ? module : module !== invert(x, y))),
  )
  drawFormat(dark, grid.size, mask)
  if (grid.version >= 7) drawVersion(dark, grid.size, grid.version)
  return dark
}

/** Level M is 00. Fifteen bits: two of level, three of mask, ten of BCH correction, and a fixed pattern over all. */
function drawFormat(dark: boolean[][], size: number, mask: number): void {
  const bits = ((mask << 10) | bch(mask, 10, 0x537)) ^ 0x5412
  const bit = (index: number): boolean => ((bits >> index) & 1) === 1
  for (let index = 0; index < 15; index += 1) {
    // Around the upper left corner, skipping the timing pattern.
    if (index < 8) set(dark, 8, index < 6 ? index : index + 1, bit(index))
    else set(dark, index === 8 ? 7 : 14 - index, 8, bit(index))
    // And once more, split between the other two corners.
    if (index < 8) set(dark, size - 1 - index, 8, bit(index))
    else set(dark, 8, size - 15 + index, bit(index))
  }
  set(dark, 8, size - 8, true)
}

function drawVersion(dark: boolean[][], size: number, version: number): void {
  const bits = (version << 12) | bch(version, 12, 0x1f25)
  for (let index = 0; index < 18; index += 1) {
    const module = ((bits >> index) & 1) === 1
    set(dark, size - 11 + (index % 3), Math.floor(index / 3), module)
    set(dark, Math.floor(index / 3), size - 11 + (index % 3), module)
  }
}

function bch(value: number, degree: number, polynomial: number): number {
  let remainder = value
  for (let step = 0; step < degree; step += 1) {
    remainder = (remainder << 1) ^ ((remainder >> (degree - 1)) * polynomial)
  }
  return remainder
}

function set(dark: boolean[][], x: number, y: number, module: boolean): void {
  const row = dark[y]
  if (row) row[x] = module
}

function penalty(rows: QrMatrix): number {
  const columns = rows.map((_, x) => rows.map((row) => row[x] ?? false))
  const lines = [...rows, ...columns]
  const share = rows.flat().filter(Boolean).length / rows.length ** 2
  const balance = Math.floor(Math.abs(share * 20 - 10)) * 10
  return lines.reduce((sum, line) => sum + linePenalty(line), balance) + blockPenalty(rows)
}

function linePenalty(line: readonly boolean[]): number {
  const text = line.map((module) => (module ? '1' : '0')).join('')
  const runs = text.match(/0{5,}|1{5,}/g) ?? []
  const finders = text.match(/(?=00001011101|10111010000)/g) ?? []
  return runs.reduce((sum, run) => sum + run.length - 2, 0) + 40 * finders.length
}

function blockPenalty(rows: QrMatrix): number {
  let blocks = 0
  for (const [y, row] of rows.entries()) {
    for (const [x, module] of row.entries()) {
      const below = rows[y + 1]
      const isBlock = below && row[x + 1] === module && below[x] === module && below[x + 1] === module
      if (isBlock) blocks += 1
    }
  }
  return 3 * blocks
}
