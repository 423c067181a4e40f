import { createHash, createHmac, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { ConfigurationError } from '../errors.js'
import { shaCrypt } from './sha-crypt.js'

/** Rounds times bytes. */
const MAX_SHA_CRYPT_WORK = 1_000_000_000

const pbkdf2Async = promisify(pbkdf2)

/**
 * Verifies hashes that other systems have made: PBKDF2, sha256_crypt and sha512_crypt, bcrypt (plain and over SHA-256)
 * and scrypt, in the notations of Python's passlib and of crypt(3). Costs beyond reason are refused rather than computed.
 */
export async function verifyImported(hash: string, password: string): Promise<boolean> {
  if (hash.startsWith('$pbkdf2-')) return verifyPbkdf2(hash, password)
  if (hash.startsWith('$5$') || hash.startsWith('$6$')) return verifyShaCrypt(hash, password)
  if (/^\$2[aby]\$/.test(hash)) return verifyBcrypt(hash, password)
  if (hash.startsWith('$bcrypt-sha256$')) return verifyBcryptSha256(hash, password)
  if (hash.startsWith('$scrypt$')) return verifyScrypt(hash, password)
  return false
}

async function verifyPbkdf2(hash: string, password: string): Promise<boolean> {
  const match = /^\$pbkdf2-(sha1|sha256|sha512)\$(\d{1,8})\$([A-Za-z0-9./]*)\$([A-Za-z0-9./]+)$/.exec(hash)
  if (match === null) return false
  const [, digest = '', rounds = '', salt = '', expected = ''] = match
  if (Number(rounds) < 1 || Number(rounds) > 5_000_000) return false
  const wanted = fromPasslib(expected)
  return same(await pbkdf2Async(password, fromPasslib(salt), Number(rounds), wanted.length, digest), wanted)
}

async function verifyShaCrypt(hash: string, password: string): Promise<boolean> {
  const match = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([A-Za-z0-9./]+)$/.exec(hash)
  if (match === null) return false
  const [, kind, rounds = '5000', salt = '', expected = ''] = match
  if (Number(rounds) < 1000 || Number(rounds) > 2_000_000) return false
  // Each round reads the password once or twice: one of 4,000 characters would keep a worker busy for ten seconds.
  if (Number(rounds) * Buffer.byteLength(password) > MAX_SHA_CRYPT_WORK) return false
  const made = await shaCrypt(kind === '5' ? 'sha256' : 'sha512', password, salt, Number(rounds))
  return same(Buffer.from(made), Buffer.from(expected))
}

async function verifyBcrypt(hash: string, password: string): Promise<boolean> {
  const match = /^\$2[aby]\$(\d\d)\$[A-Za-z0-9./]{53}$/.exec(hash)
  // The algorithm ends a password at a zero byte: "a\0b" would match "a".
  if (match === null || Number(match[1]) > 16 || password.includes('\0')) return false
  try {
    const { verify } = await import('@node-rs/bcrypt')
    return await verify(password, hash)
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ERR_MODULE_NOT_FOUND') {
      throw new ConfigurationError('bcrypt hashes are verified with @node-rs/bcrypt: npm install @node-rs/bcrypt', {
        cause: error,
      })
    }
    return false
  }
}

async function verifyBcryptSha256(hash: string, password: string): Promise<boolean> {
  const newer = /^\$bcrypt-sha256\$v=2,t=(2[ab]),r=(\d{1,2})\$([A-Za-z0-9./]{22})\$([A-Za-z0-9./]{31})$/.exec(hash)
  const older = /^\$bcrypt-sha256\$(2[ab]),(\d{1,2})\$([A-Za-z0-9./]{22})\$([A-Za-z0-9./]{31})$/.exec(hash)
  const [, variant = '', rounds = '', salt = '', digest = ''] = newer ?? older ?? []
  if (variant === '') return false
  const key = newer ? createHmac('sha256', salt).update(password) : createHash('sha256').update(password)
  return verifyBcrypt(`$${variant}$${rounds.padStart(2, '0')}$${salt}${digest}`, key.digest('base64'))
}

async function verifyScrypt(hash: string, password: string): Promise<boolean> {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9./+]+)\$([A-Za-z0-9./+]+)$/.exec(hash)
  if (match === null) return false
  const [, ln = '', r = '', p = '', salt = '', expected = ''] = match
  const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) }
  const memory = 128 * cost.N * cost.r
  if (cost.N < 2 || cost.r < 1 || cost.p < 1 || memory > 256 * 1024 * 1024 || cost.p > 16) return false
  const wanted = fromPasslib(expected)
  return same(
    await scryptAsync(password, fromPasslib(salt), wanted.length, { ...cost, maxmem: memory * 2 + 65_536 }),
    wanted,
  )
}

function scryptAsync(
  password: string,
  salt: Buffer,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

// passlib writes base64 with a dot for the plus sign and without padding.
function fromPasslib(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64')
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && a.length >= 16 && timingSafeEqual(a, b)
}
