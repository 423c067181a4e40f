import { readFileSync } from 'node:fs'
import { scryptSync } from 'node:crypto'
import { hash as argon2 } from '@node-rs/argon2'
import { argon2Hasher } from 'passport-outofband/users'
import { describe, expect, test } from 'vitest'
import { PASSWORD, startService } from './service.js'

interface Known {
  readonly known_answers: { readonly password_hash: readonly { scheme: string; password: string; hash: string }[] }
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/affo-scenarios.json', import.meta.url), 'utf8')) as Known
const hasher = argon2Hasher()
const password = 'correct horse battery staple'

function scryptHash(text: string): string {
  const salt = Buffer.from('0123456789abcdef')
  const toPasslib = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '.').replaceAll('=', '')
  return `$scrypt$ln=14,r=8,p=1$${toPasslib(salt)}$${toPasslib(scryptSync(text, salt, 32, { N: 2 ** 14, r: 8, p: 1 }))}`
}

describe('imported hashes', () => {
  test.each(vectors.known_answers.password_hash)(
    'of $scheme are verified [SC 70]',
    { timeout: 30_000 },
    async ({ password: right, hash }) => {
      expect(await hasher.verify(hash, right)).toBe(true)
      expect(await hasher.verify(hash, `${right}x`)).toBe(false)
      expect(await hasher.verify(`${hash.slice(0, -1)}${hash.endsWith('x') ? 'y' : 'x'}`, right)).toBe(false)
      expect(hasher.needsRehash(hash)).toBe(!hash.startsWith('$argon2id'))
    },
  )

  // Made with crypt(3).
  const crypted: (readonly [string, string])[] = [
    ['$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5', 'Hello world!'],
    [
      '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
      'Hello world!',
    ],
  ]
  crypted.push(
    ['$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA', 'Hello world!'],
    [
      '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
      'Hello world!',
    ],
  )
  test.each(crypted)('of crypt(3) are verified: %s', async (hash, right) => {
    expect(await hasher.verify(hash, right)).toBe(true)
    expect(await hasher.verify(hash, 'Hello world')).toBe(false)
  })

  // Made with crypt(3); the versions differ in bugs that these implementations don't have.
  test.each(['$2a$', '$2b$', '$2y$'])('of bcrypt, version %s, are verified', async (version) => {
    const salted = `${version}05$CCCCCCCCCCCCCCCCCCCCC.`
    const known = {
      'U*U': 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
      'U*U*U': 'Bw3BobdGs1SFsKsRLIx9rC4T.Q7DtEm',
      'pässwörd ✓': 'Jm4uaizsrnVWG9vFLuESn9vhWLIsvzu',
    }
    for (const [right, digest] of Object.entries(known)) {
      expect(await hasher.verify(salted + digest, right), right).toBe(true)
      expect(await hasher.verify(salted + digest, `${right}x`), right).toBe(false)
      expect(hasher.needsRehash(salted + digest)).toBe(true)
    }
  })

  test('of the kinds of argon2 that older installations made are verified', async () => {
    for (const algorithm of [0, 1]) {
      const cost = { algorithm, memoryCost: 512, timeCost: 2, parallelism: 2 }
      const hash = await argon2(password, cost)
      expect(hash).toMatch(/^\$argon2[di]\$v=19\$m=512,t=2,p=2\$/)
      expect(await hasher.verify(hash, password)).toBe(true)
      expect(await hasher.verify(hash, `${password}x`)).toBe(false)
      expect(hasher.needsRehash(hash)).toBe(true)
    }
  })

  test('of bcrypt are verified, without the trap of the zero byte', async () => {
    const hash = '$2y$06$aK3skkpbc..Bq.pR.yl0OuYqlQkdNhKLx5BuRpX1Aq.3is5IiZ5i.'
    expect(await hasher.verify(hash, 'secret words')).toBe(true)
    expect(await hasher.verify(hash.replace('$2b$', '$2y$'), 'secret words')).toBe(true)
    expect(await hasher.verify(hash, 'secret words\0more')).toBe(false)
  })

  test('of bcrypt over SHA-256 and of scrypt are verified', async () => {
    // passlib's own example of its documentation.
    const over = '$bcrypt-sha256$v=2,t=2b,r=12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2'
    expect(await hasher.verify(over, 'password')).toBe(true)
    expect(await hasher.verify(over, 'Password')).toBe(false)
    expect(await hasher.verify(scryptHash(password), password)).toBe(true)
    expect(await hasher.verify(scryptHash(password), 'x')).toBe(false)
  })

  const nonsense = [
    '',
    'plain text',
    '$',
    '$argon2id$',
    '$6$',
    '$6$rounds=999999999$x$y',
    '$scrypt$ln=40,r=8,p=1$aaaa$bbbb',
    '$pbkdf2-sha512$99999999$a$b',
    '$2b$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '$pbkdf2-sha512$1$$',
  ]
  test.each(nonsense)('that are none (%j) match nothing, and cost nothing', async (hash) => {
    expect(await hasher.verify(hash, password)).toBe(false)
  })
})

test('a login with an imported hash makes it an argon2id hash of today [SC 70]', async () => {
  const app = await startService()
  const at = app.clock.now()
  const names = { phone: null, phoneKey: null, firstName: null, lastName: null }
  await app.store.insert({
    email: 'old@example.com',
    emailKey: 'old@example.com',
    ...names,
    passwordHash: scryptHash(password),
    isActive: true,
    roles: [],
    at,
  })
  expect(await app.login('old@example.com', 'wrong')).toMatchObject({ status: 401 })
  expect((await app.store.findByEmail('old@example.com'))?.passwordHash).toMatch(/^\$scrypt/)
  expect(await app.login('old@example.com', password)).toMatchObject({ status: 200 })
  expect((await app.store.findByEmail('old@example.com'))?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await app.login('old@example.com', password)).toMatchObject({ status: 200 })
})

test('passwords count to the last character, beyond byte 72 too, and as they were typed [SC 69]', async () => {
  const app = await startService()
  const long = `${'long words '.repeat(8)}A`
  await app.register('alice', { password: long })
  expect(await app.login('alice@example.com', `${long.slice(0, -1)}B`)).toMatchObject({ status: 401 })
  expect(await app.login('alice@example.com', ` ${long}`)).toMatchObject({ status: 401 })
  expect(await app.login('alice@example.com', long)).toMatchObject({ status: 200 })
  await app.register('bob', { password: '\u{1f600}'.repeat(3) + ' twelve more ' })
  const fourteen = await app.call('POST', '/user/', {
    body: { email: 'c@example.com', password: '\u{1f600}'.repeat(7) },
  })
  expect(fourteen).toMatchObject({ status: 400, body: { code: 'WeakPassword' } })
})

test('the store holds no password, the answers neither [SC 70]', async () => {
  const app = await startService()
  const { email } = await app.register('alice')
  expect((await app.store.findByEmail(email))?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  const reply = await app.login(email)
  expect(reply.text).not.toContain(PASSWORD)
  expect(Object.keys(reply.body)).not.toContain('password')
})
