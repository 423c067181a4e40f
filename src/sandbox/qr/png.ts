import { crc32, deflateSync } from 'node:zlib'
import type { QrMatrix } from './grid.js'

const quietZone = 4

/** A black and white PNG of about `pixels` by `pixels`: a whole number of pixels a module, quiet zone included. */
export function qrPng(matrix: QrMatrix, pixels: number): Buffer {
  const modules = matrix.length + 2 * quietZone
  const scale = Math.max(1, Math.floor(Math.min(pixels, 2000) / modules))
  const size = modules * scale
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  // Bit depth 1, greyscale; the rest of the header is zero.
  header[8] = 1
  const rows = Array.from({ length: size }, (_, y) => pixelRow(matrix, Math.floor(y / scale) - quietZone, size, scale))
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** One line of pixels, 1 for white, behind the byte that says: no filter. */
function pixelRow(matrix: QrMatrix, y: number, size: number, scale: number): Buffer {
  const row = Buffer.alloc(1 + Math.ceil(size / 8))
  for (let x = 0; x < size; x += 1) {
    const dark = matrix[y]?.[Math.floor(x / scale) - quietZone] ?? false
    const at = 1 + (x >> 3)
    if (!dark) row[at] = (row[at] ?? 0) | (0x80 >> (x & 7))
  }
  return row
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  body.copy(framed, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
