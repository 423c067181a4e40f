import type { Grid, QrMatrix } from './grid.js'
import { applyBestMask } from './mask.js'
import { correction } from './reed-solomon.js'

/*
 * QR codes (ISO/IEC 18004), as much of them as a link needs: byte mode, error correction level M, versions 1 to 20.
 */

/** For level M: codewords of correction in a block, and how many blocks, by version from 1. */
const correctionPerBlock = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26]
const blockCounts = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16]

/** The QR code of a text, in the smallest version that holds it; undefined beyond version 20 (666 bytes). */
export function qrCode(text: string): QrMatrix | undefined {
  const bytes = Buffer.from(text, 'utf8')
  const version = versionFor(bytes.length)
  if (version === undefined) return undefined
  const grid = drawPatterns(version)
  placeBits(grid, interleave(encode(bytes, version), version))
  return applyBestMask(grid)
}

function versionFor(length: number): number | undefined {
  for (let version = 1; version <= blockCounts.length; version += 1) {
    if (headerBits(version) + 8 * length <= 8 * dataCodewords(version)) return version
  }
  return undefined
}

function headerBits(version: number): number {
  return 4 + (version < 10 ? 8 : 16)
}

function alignmentCount(version: number): number {
  return version === 1 ? 0 : Math.floor(version / 7) + 2
}

/** Modules that carry data or correction. */
function rawModules(version: number): number {
  let modules = (16 * version + 128) * version + 64
  if (version >= 2) {
    const count = alignmentCount(version)
    modules -= (25 * count - 10) * count - 55
    if (version >= 7) modules -= 36
  }
  return modules
}

function rawCodewords(version: number): number {
  return Math.floor(rawModules(version) / 8)
}

function dataCodewords(version: number): number {
  return rawCodewords(version) - (correctionPerBlock[version - 1] ?? 0) * (blockCounts[version - 1] ?? 0)
}

/** Mode, length, bytes, terminator and padding. */
function encode(bytes: Uint8Array, version: number): readonly number[] {
  const bits: number[] = []
  const push = (value: number, count: number): void => {
    for (let shift = count - 1; shift >= 0; shift -= 1) bits.push((value >> shift) & 1)
  }
  push(0b0100, 4)
  push(bytes.length, headerBits(version) - 4)
  for (const byte of bytes) push(byte, 8)
  const capacity = 8 * dataCodewords(version)
  push(0, Math.min(4, capacity - bits.length))
  push(0, (8 - (bits.length % 8)) % 8)
  for (let pad = 0xec; bits.length < capacity; pad ^= 0xec ^ 0x11) push(pad, 8)
  const codewords: number[] = []
  for (let at = 0; at < bits.length; at += 8) codewords.push(parseInt(bits.slice(at, at + 8).join(''), 2))
  return codewords
}

/** Splits into blocks, adds the correction to each, and takes turns among them. */
function interleave(data: readonly number[], version: number): readonly number[] {
  const count = blockCounts[version - 1] ?? 1
  const degree = correctionPerBlock[version - 1] ?? 10
  const total = rawCodewords(version)
  const shortBlocks = count - (total % count)
  const shortLength = Math.floor(total / count) - degree
  const blocks: { data: readonly number[]; correction: readonly number[] }[] = []
  for (let index = 0, at = 0; index < count; index += 1) {
    const length = shortLength + (index < shortBlocks ? 0 : 1)
    const block = data.slice(at, at + length)
    blocks.push({ data: block, correction: correction(block, degree) })
    at += length
  }
  const turns = (pick: (block: (typeof blocks)[number]) => readonly number[], longest: number): number[] =>
    Array.from({ length: longest }, (_, turn) => blocks.flatMap((block) => pick(block)[turn] ?? [])).flat()
  return [...turns((block) => block.data, shortLength + 1), ...turns((block) => block.correction, degree)]
}

function drawPatterns(version: number): Grid {
  const size = 4 * version + 17
  const make = (): boolean[][] => Array.from({ length: size }, () => Array<boolean>(size).fill(false))
  const grid: Grid = { size, version, dark: make(), fixed: make() }
  for (let at = 0; at < size; at += 1) {
    fix(grid, 6, at, at % 2 === 0)
    fix(grid, at, 6, at % 2 === 0)
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const) {
    drawRings(grid, x, y, 4, [0, 1, 3])
  }
  drawAlignment(grid)
  // Kept free for the format and version information, which is drawn with the mask.
  for (let at = 0; at < 9; at += 1) {
    reserve(grid, at, 8)
    reserve(grid, 8, at)
    if (at < 8) {
      reserve(grid, size - 1 - at, 8)
      reserve(grid, 8, size - 1 - at)
    }
  }
  if (version >= 7) {
    for (let at = 0; at < 18; at += 1) {
      reserve(grid, size - 11 + (at % 3), Math.floor(at / 3))
      reserve(grid, Math.floor(at / 3), size - 11 + (at % 3))
    }
  }
  return grid
}

function drawRings(grid: Grid, centreX: number, centreY: number, radius: number, darkRings: readonly number[]): void {
  for (let y = -radius; y <= radius; y += 1) {
    for (let x = -radius; x <= radius; x += 1) {
      fix(grid, centreX + x, centreY + y, darkRings.includes(Math.max(Math.abs(x), Math.abs(y))))
    }
  }
}

function drawAlignment(grid: Grid): void {
  const positions = alignmentPositions(grid)
  const last = positions.length - 1
  for (const [i, x] of positions.entries()) {
    for (const [j, y] of positions.entries()) {
      const onFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)
      if (!onFinder) drawRings(grid, x, y, 2, [0, 2])
    }
  }
}

function alignmentPositions({ version, size }: Grid): readonly number[] {
  const count = alignmentCount(version)
  if (count === 0) return []
  const step = Math.ceil((4 * version + 4) / (2 * count - 2)) * 2
  const positions = Array.from({ length: count - 1 }, (_, index) => size - 7 - index * step).reverse()
  return [6, ...positions]
}

/** Fills what is free in zigzag from the lower right corner, two columns at a time. */
function placeBits(grid: Grid, codewords: readonly number[]): void {
  let bit = 0
  let upward = true
  for (let right = grid.size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    for (let turn = 0; turn < grid.size; turn += 1) {
      const y = upward ? grid.size - 1 - turn : turn
      for (const x of [right, right - 1]) {
        const row = grid.dark[y]
        if (!row || grid.fixed[y]?.[x]) continue
        row[x] = (((codewords[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1
        bit += 1
      }
    }
    upward = !upward
  }
}

function fix(grid: Grid, x: number, y: number, dark: boolean): void {
  const row = grid.dark[y]
  if (!row || x < 0 || x >= grid.size) return
  row[x] = dark
  reserve(grid, x, y)
}

function reserve(grid: Grid, x: number, y: number): void {
  const row = grid.fixed[y]
  if (row && x >= 0 && x < grid.size) row[x] = true
}
