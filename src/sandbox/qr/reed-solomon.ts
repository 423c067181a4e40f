/** Arithmetic in GF(256) with x^8 + x^4 + x^3 + x^2 + 1, as QR codes use it. */
function multiply(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d)
    product ^= ((b >> bit) & 1) * a
  }
  return product
}

function generator(degree: number): readonly number[] {
  let polynomial: number[] = [1]
  let root = 1
  for (let step = 0; step < degree; step += 1) {
    const next: number[] = [...polynomial, 0]
    for (const [index, coefficient] of polynomial.entries()) {
      next[index + 1] = (next[index + 1] ?? 0) ^ multiply(coefficient, root)
    }
    polynomial = next
    root = multiply(root, 2)
  }
  return polynomial.slice(1)
}

/** The codewords that correct a block of data. */
export function correction(data: readonly number[], degree: number): readonly number[] {
  const divisor = generator(degree)
  let remainder = Array<number>(degree).fill(0)
  for (const byte of data) {
    const factor = byte ^ (remainder[0] ?? 0)
    remainder = [...remainder.slice(1), 0].map((value, index) => value ^ multiply(divisor[index] ?? 0, factor))
  }
  return remainder
}
