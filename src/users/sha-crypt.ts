import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'

type ShaCryptDigest = 'sha256' | 'sha512'

interface Rounds {
  readonly digest: ShaCryptDigest
  readonly first: Uint8Array
  readonly passwordBytes: Uint8Array
  readonly saltBytes: Uint8Array
  readonly rounds: number
}

/**
 * The hash part of sha256_crypt and sha512_crypt (U. Drepper, "Unix crypt using SHA-256 and SHA-512"), as crypt(3)
 * writes it after the salt. The rounds, half a million and more where passlib made the hash, run in a worker.
 */
export async function shaCrypt(
  digest: ShaCryptDigest,
  password: string,
  salt: string,
  rounds: number,
): Promise<string> {
  const key = Buffer.from(password, 'utf8')
  const salted = Buffer.from(salt, 'utf8')
  const hash = (...parts: readonly Uint8Array[]): Buffer =>
    parts.reduce((sum, part) => sum.update(part), createHash(digest)).digest()

  const alternate = hash(key, salted, key)
  const byBits: Uint8Array[] = []
  for (let bits = key.length; bits > 0; bits >>= 1) byBits.push(bits & 1 ? alternate : key)
  const first = hash(key, salted, stretch(alternate, key.length), ...byBits)
  const passwordBytes = stretch(hash(...Array.from({ length: key.length }, () => key)), key.length)
  const saltBytes = stretch(hash(...Array.from({ length: 16 + (first[0] ?? 0) }, () => salted)), salted.length)
  return encode(digest, await runInWorker({ digest, first, passwordBytes, saltBytes, rounds }))
}

function stretch(block: Uint8Array, length: number): Buffer {
  const out = Buffer.alloc(length)
  for (let at = 0; at < length; at += block.length) out.set(block.subarray(0, Math.min(block.length, length - at)), at)
  return out
}

// Runs in the worker as text: it must not use anything but its parameters.
function runRounds(create: typeof createHash, { digest, first, passwordBytes, saltBytes, rounds }: Rounds): Uint8Array {
  let sum = first
  for (let round = 0; round < rounds; round += 1) {
    const next = create(digest)
    next.update(round % 2 === 1 ? passwordBytes : sum)
    if (round % 3 !== 0) next.update(saltBytes)
    if (round % 7 !== 0) next.update(passwordBytes)
    next.update(round % 2 === 1 ? sum : passwordBytes)
    sum = next.digest()
  }
  return sum
}

const WORKER_SOURCE = `
  const { createHash } = require('node:crypto')
  const { parentPort, workerData } = require('node:worker_threads')
  const runRounds = ${runRounds.toString()}
  parentPort.postMessage(runRounds(createHash, workerData))
`

async function runInWorker(work: Rounds): Promise<Uint8Array> {
  const worker = new Worker(WORKER_SOURCE, { eval: true, workerData: work })
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      worker.once('message', (sum: Uint8Array) => resolve(sum))
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('the worker ended without an answer')))
    })
  } finally {
    await worker.terminate()
  }
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

// The order in which the bytes of the sum are written: triples that walk through three thirds of it, turning each time.
function encode(digest: ShaCryptDigest, sum: Uint8Array): string {
  const third = digest === 'sha512' ? 21 : 10
  const turn = digest === 'sha512' ? 1 : 2
  let text = ''
  for (let index = 0; index < third; index += 1) {
    const triple = [index, index + third, index + 2 * third]
    const shift = (index * turn) % 3
    text += encode24(
      [0, 1, 2].map((at) => sum[triple[(at + shift) % 3] ?? 0] ?? 0),
      4,
    )
  }
  return text + (digest === 'sha512' ? encode24([0, 0, sum[63] ?? 0], 2) : encode24([0, sum[31] ?? 0, sum[30] ?? 0], 3))
}

function encode24([high = 0, middle = 0, low = 0]: readonly number[], characters: number): string {
  let bits = (high << 16) | (middle << 8) | low
  let text = ''
  for (let count = 0; count < characters; count += 1) {
    text += ALPHABET[bits & 63] ?? ''
    bits >>= 6
  }
  return text
}
