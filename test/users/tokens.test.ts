import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactSign } from 'jose'
import type { TokenKey } from 'passport-outofband/users'
import { describe, expect, test } from 'vitest'
import { PASSWORD, PASSWORD_2, resetTokenOf, SECRET, startService, tokenOf, type TestService } from './service.js'

type Claims = Record<string, unknown>

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function sign(
  claims: unknown,
  header: object = { typ: 'JWT', alg: 'HS256' },
  key: string | Buffer = SECRET,
  hash = 'sha256',
) {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`
}

function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Claims
}

// The last character of 32 bytes in base64url holds four bits; the other two are no part of them.
function otherSpelling(last: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(last) ^ 1] ?? ''
}

const BAD = { status: 401, body: { code: 'InvalidTokenHeader', description: 'failed to decode JWT token' } }
const BLACKLISTED = { status: 403, body: { code: 'BlacklistedError' } }
const MISSING = { status: 401, body: { code: 'MissingClaimError' } }

type Forge = (good: string, claims: Claims, service: TestService) => string
const forgeries: ReadonlyArray<readonly [what: string, forge: Forge, answer: object]> = [
  ['algorithm none', (_good, claims) => `${encode({ typ: 'JWT', alg: 'none' })}.${encode(claims)}.`, BAD],
  [
    'algorithm none with the signature left on',
    (good, claims) => `${encode({ alg: 'none' })}.${encode(claims)}.${good.split('.')[2]}`,
    BAD,
  ],
  ['HS512 with the right key', (_g, claims) => sign(claims, { typ: 'JWT', alg: 'HS512' }, SECRET, 'sha512'), BAD],
  ['another key', (_g, claims) => sign(claims, undefined, 'another key that is long enough, too'), BAD],
  ['an empty key', (_g, claims) => sign(claims, undefined, ''), BAD],
  ['a kid that is not in the ring', (_g, claims) => sign(claims, { typ: 'JWT', alg: 'HS256', kid: 'other' }), BAD],
  ['a kid that is a path', (_g, claims) => sign(claims, { typ: 'JWT', alg: 'HS256', kid: '../../dev/null' }), BAD],
  ['a jwk of its own', (_g, claims) => sign(claims, { typ: 'JWT', alg: 'HS256', jwk: { kty: 'oct', k: '' } }, ''), BAD],
  ['a jku', (_g, claims) => sign(claims, { typ: 'JWT', alg: 'HS256', jku: 'https://evil.example/' }, 'x'), BAD],
  ['a critical header', (_g, claims) => sign(claims, { typ: 'JWT', alg: 'HS256', crit: ['x'], x: 1 }), BAD],
  ['another type', (_g, claims) => sign(claims, { typ: 'reset+jwt', alg: 'HS256' }), BAD],
  ['an audience that is not configured', (_g, claims) => sign({ ...claims, aud: 'x' }), BAD],
  ['a start in the future', (_g, claims) => sign({ ...claims, nbf: Number(claims['iat']) + 60 }), BAD],
  ['an iat that is no integer', (_g, claims) => sign({ ...claims, iat: '1' }), BAD],
  ['claims that are no object', () => sign(['x']), BAD],
  [
    'claims changed behind the signature',
    (good, claims) => [good.split('.')[0], encode({ ...claims, id: 1 }), good.split('.')[2]].join('.'),
    BAD,
  ],
  [
    'one character of the signature',
    (good) => good.slice(0, -2) + (good.at(-2) === 'A' ? 'B' : 'A') + good.slice(-1),
    BAD,
  ],
  ['a blank in its signature', (good) => `${good.slice(0, -3)} ${good.slice(-3)}`, BAD],
  ['its signature in another spelling', (good) => good.slice(0, -1) + otherSpelling(good.slice(-1)), BAD],
  ['padding behind its signature', (good) => `${good}=`, BAD],
  ['an empty token', () => 'a', BAD],
  ['a signature of nothing', (good) => good.split('.').slice(0, 2).join('.') + '.', BAD],
  ['four parts', (good) => `${good}.x`, BAD],
  ['a jti nobody knows', (_g, claims) => sign({ ...claims, jti: 'x' }), BLACKLISTED],
  ['a jti that is an object', (_g, claims) => sign({ ...claims, jti: {} }), BLACKLISTED],
  ['the id of somebody else', (_g, claims) => sign({ ...claims, id: 1 }), BLACKLISTED],
  ['the id as a text', (_g, claims) => sign({ ...claims, id: String(claims['id']) }), BLACKLISTED],
  ['no jti', (_g, { jti: _j, ...claims }) => sign(claims), MISSING],
  ['no id', (_g, { id: _i, ...claims }) => sign(claims), MISSING],
  ['no exp', (_g, { exp: _e, ...claims }) => sign(claims), MISSING],
  ['no rf_exp', (_g, { rf_exp: _r, ...claims }) => sign(claims), MISSING],
  [
    'an exp that is no number',
    (_g, claims) => sign({ ...claims, exp: 'never' }),
    { status: 401, body: { code: 'ExpiredAccessError' } },
  ],
  [
    'a registration token',
    (_g, claims) => sign({ ...claims, is_ert: true }),
    { status: 401, body: { code: 'MisusedRegistrationToken' } },
  ],
]

describe('a bearer token', () => {
  test.each(forgeries)('with %s is refused [SC 61, 62]', async (_what, forge, answer) => {
    const app = await startService()
    const { token } = await app.register('alice')
    expect(await app.call('GET', '/user/current/', { token })).toMatchObject({ status: 200 })
    const forged = forge(token, claimsOf(token), app)
    expect(await app.call('GET', '/user/current/', { token: forged })).toMatchObject(answer)
    expect(
      await app.call('PATCH', '/user/current/', { token: forged, body: { email: 'x@example.com' } }),
    ).toMatchObject(answer)
    expect(await app.service.tokens.verify(forged)).toMatchObject({ ok: false })
  })

  test('signed anew with the right key and the claims of the session is good', async () => {
    const app = await startService()
    const { token } = await app.register('alice')
    expect(await app.call('GET', '/user/current/', { token: sign(claimsOf(token)) })).toMatchObject({ status: 200 })
  })

  test('is no reset token, and a reset token is no bearer token [SC 61, 72]', async () => {
    const app = await startService()
    const { token, email } = await app.register('alice')
    await app.call('POST', '/password/reset/', {
      body: { email, url_template: 'https://app.example.com/?token={token}' },
    })
    await app.service.idle()
    const reset = resetTokenOf(app.mails)
    expect(reset).toMatch(/^\d+\.[\w-]{43}$/)
    expect(await app.call('GET', '/user/current/', { token: reset })).toMatchObject(BAD)
    const confirm = { body: { token, new_password: PASSWORD_2 } }
    expect(await app.call('POST', '/password/reset/confirm/', confirm)).toMatchObject({ status: 400 })
  })

  test('counts only in the header, never in the query [SC 20]', async () => {
    const app = await startService()
    const { token } = await app.register('alice')
    expect(await app.call('GET', `/user/current/?access_token=${token}&token=${token}`)).toMatchObject({ status: 401 })
  })

  test('of before a password change, a reset, a deactivation or "end all" stops working [SC 66]', async () => {
    const app = await startService()
    const admin = await app.admin()
    const endings: Record<string, (user: { id: number; token: string; email: string }) => Promise<unknown>> = {
      password: async ({ token }) =>
        app.call('POST', '/user/current/set_password/', { token, body: { password: PASSWORD_2 } }),
      byAdmin: async ({ id }) =>
        app.call('POST', `/user/${id}/set_password/`, { token: admin.token, body: { password: PASSWORD_2 } }),
      reset: async ({ email }) => {
        await app.call('POST', '/password/reset/', {
          body: { email, url_template: 'https://app.example.com/?token={token}' },
        })
        await app.service.idle()
        const body = { token: resetTokenOf(app.mails), new_password: PASSWORD_2 }
        return app.call('POST', '/password/reset/confirm/', { body })
      },
      deletion: async ({ id }) => app.call('DELETE', `/user/${id}/`, { token: admin.token }),
      deactivation: async ({ id, email }) =>
        app.call('PATCH', `/user/${id}/`, { token: admin.token, body: { email, is_active: false } }),
      everywhere: async ({ token }) => app.call('DELETE', '/auth/sessions/', { token }),
      everywhereByAdmin: async ({ id }) => app.call('DELETE', `/user/${id}/sessions/`, { token: admin.token }),
    }
    for (const [name, end] of Object.entries(endings)) {
      const user = await app.register(name.toLowerCase())
      const other = tokenOf(await app.login(user.email))
      expect(await app.call('GET', '/user/current/', { token: other })).toMatchObject({ status: 200 })
      await end(user)
      expect(await app.call('GET', '/user/current/', { token: other }), name).toMatchObject(BLACKLISTED)
      app.clock.set(app.clock.now() + 901_000)
      expect(await app.call('POST', '/auth/refresh/', { token: other }), name).toMatchObject(BLACKLISTED)
      app.clock.set(app.clock.now() - 901_000)
    }
  })

  test('of a user who was deactivated or erased behind the back of the router is refused', async () => {
    const app = await startService()
    const { id, token } = await app.register('alice')
    await app.store.update(id, { isActive: false }, { at: 0 })
    expect(await app.call('GET', '/user/current/', { token })).toMatchObject({
      status: 403,
      body: { code: 'InvalidUserError' },
    })
    await app.store.erase(id)
    expect(await app.call('GET', '/user/current/', { token })).toMatchObject({
      status: 401,
      body: { code: 'PraetorianError' },
    })
    app.clock.set(app.clock.now() + 901_000)
    expect(await app.call('POST', '/auth/refresh/', { token })).toMatchObject({
      status: 401,
      body: { code: 'MissingUserError' },
    })
  })

  test('shows a changed role at once, whatever it says itself [SC 68]', async () => {
    const app = await startService()
    const admin = await app.admin()
    const { id, token } = await app.register('alice')
    await app.call('PATCH', `/user/${id}/role/`, { token: admin.token, body: ['admin'] })
    expect(await app.call('GET', '/auth/verify_token/', { token })).toMatchObject({ body: { rls: 'admin' } })
    await app.call('PATCH', `/user/${admin.id}/role/`, { token, body: [] })
    expect(await app.call('DELETE', `/user/${id}/`, { token: admin.token })).toMatchObject({ status: 403 })
  })
})

describe('keys', () => {
  const pairs: Record<'RS256' | 'ES256' | 'EdDSA', { privateKey: KeyObject; publicKey: KeyObject }> = {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: generateKeyPairSync('ed25519'),
  }

  test.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'of %s sign, are published without the private half, and can not be used for HS256 [SC 63]',
    async (alg) => {
      const { privateKey, publicKey } = pairs[alg]
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
      const app = await startService({ keys: { signing: { alg, key: pem.toString(), kid: 'k1' }, secret: SECRET } })
      const { token } = await app.register('alice')
      expect(await app.call('GET', '/user/current/', { token })).toMatchObject({ status: 200 })
      const set = await app.call('GET', '/auth/jwks/')
      expect(set.body['keys']).toHaveLength(1)
      expect(
        Object.keys((set.body['keys'] as readonly object[])[0]!)
          .sort()
          .join(),
      ).not.toMatch(/\b(d|p|q|dp|dq|qi|k)\b/)
      expect((set.body['keys'] as readonly object[])[0]).toMatchObject({ alg, kid: 'k1', use: 'sig' })
      const asSecret = publicKey.export({ type: 'spki', format: 'pem' }).toString()
      const confused = sign(claimsOf(token), { typ: 'JWT', alg: 'HS256', kid: 'k1' }, asSecret)
      expect(await app.call('GET', '/user/current/', { token: confused })).toMatchObject(BAD)
      const foreign = await new CompactSign(Buffer.from(JSON.stringify(claimsOf(token))))
        .setProtectedHeader({ alg, kid: 'k1' })
        .sign(
          (alg === 'RS256'
            ? generateKeyPairSync('rsa', { modulusLength: 2048 })
            : alg === 'ES256'
              ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
              : generateKeyPairSync('ed25519')
          ).privateKey,
        )
      expect(await app.call('GET', '/user/current/', { token: foreign })).toMatchObject(BAD)
    },
  )

  test('change without a moment of refusals, and an old one is worth nothing after it was dropped [SC 63]', async () => {
    const old: TokenKey = { alg: 'HS256', key: SECRET }
    const next: TokenKey = { alg: 'HS256', key: `${SECRET} of next year`, kid: '2027' }
    const first = await startService({ keys: { signing: old, verifying: [next] } })
    const { token } = await first.register('alice')
    const parts = { store: first.store, state: first.state }
    const second = await startService({ ...parts, keys: { signing: next, verifying: [old] } })
    expect(await second.call('GET', '/user/current/', { token })).toMatchObject({ status: 200 })
    second.clock.set(second.clock.now() + 901_000)
    first.clock.set(first.clock.now() + 901_000)
    const fresh = tokenOf(await second.call('POST', '/auth/refresh/', { token }))
    expect(JSON.parse(Buffer.from(fresh.split('.')[0]!, 'base64url').toString())).toEqual({
      typ: 'JWT',
      alg: 'HS256',
      kid: '2027',
    })
    expect(await first.call('GET', '/user/current/', { token: fresh })).toMatchObject({ status: 200 })
    const third = await startService({ ...parts, keys: { signing: next, secret: SECRET } })
    third.clock.set(third.clock.now() + 901_000)
    expect(await third.call('GET', '/user/current/', { token: fresh })).toMatchObject({ status: 200 })
    expect(await third.call('GET', '/user/current/', { token })).toMatchObject(BAD)
  })

  const weak: ReadonlyArray<readonly [string, unknown]> = [
    ['an empty text', ''],
    ['31 bytes', 'x2345678901234567890123456789012'.slice(1)],
    ['one letter over and over', 'a'.repeat(64)],
    ['a PEM text for HS256', { signing: { alg: 'HS256', key: `-----BEGIN PUBLIC KEY-----${'abcdefgh'.repeat(9)}` } }],
    [
      'a short RSA key',
      {
        signing: { alg: 'RS256', key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey },
        secret: SECRET,
      },
    ],
    [
      'a key on another curve',
      { signing: { alg: 'ES256', key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey }, secret: SECRET },
    ],
    ['a public key to sign with', { signing: { alg: 'EdDSA', key: pairs.EdDSA.publicKey }, secret: SECRET }],
    ['no secret beside an asymmetric key', { signing: { alg: 'EdDSA', key: pairs.EdDSA.privateKey } }],
    [
      'two keys without kid',
      { signing: { alg: 'HS256', key: SECRET }, verifying: [{ alg: 'HS256', key: `${SECRET}2` }] },
    ],
    ['an algorithm that is none', { signing: { alg: 'none', key: SECRET } }],
  ]
  test.each(weak)('are refused at the start: %s', async (_what, keys) => {
    await expect(startService({ keys: keys as string })).rejects.toMatchObject({ code: 'ERR_OPTION' })
  })

  test('never show in what the service prints of itself or of an error [SC 90]', async () => {
    const { inspect } = await import('node:util')
    const app = await startService()
    const { token } = await app.register('alice')
    await app.call('GET', '/user/current/', { token: `${token}x` })
    expect(inspect(app.service, { depth: 9, showHidden: true }) + JSON.stringify(app.service)).not.toContain(
      SECRET.slice(0, 12),
    )
    expect(inspect(app.logs, { depth: 9 })).not.toContain(SECRET.slice(0, 12))
    expect(inspect(app.logs, { depth: 9 })).not.toContain(token.slice(0, 30))
    expect(inspect(app.logs, { depth: 9 })).not.toContain(PASSWORD)
  })
})
