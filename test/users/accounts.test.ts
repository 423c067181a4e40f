import { request } from 'node:http'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ADMIN_PASSWORD, PASSWORD, PASSWORD_2, resetTokenOf, startService, tokenOf } from './service.js'

const many = { limits: { registrationPerClient: { max: 10_000, windowSeconds: 60 } } }

test('a hundred registrations with one address at once make one user [SC 96]', async () => {
  const app = await startService(many)
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      app.call('POST', '/user/', {
        body: { email: index % 2 ? 'Same@example.com' : 'same@Example.com', password: null },
      }),
    ),
  )
  expect(replies.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(replies.filter(({ status, body }) => status === 400 && body['code'] === 'AlreadyExists')).toHaveLength(99)
})

test('equal numbers in five notations belong to one user [SC 21]', async () => {
  const app = await startService(many)
  await app.register('alice', { phone: '+1 (555) 000-1234' })
  for (const phone of ['+15550001234', '+1-555-000-1234', '+1 555 000 1234', '+1[555]0001234']) {
    expect(await app.call('POST', '/user/', { body: { email: 'b@example.com', phone } })).toMatchObject({ status: 400 })
  }
})

describe('what nobody may set', () => {
  const evil = {
    id: 1,
    roles: ['admin'],
    is_active: false,
    is_admin: 1,
    epoch: 9,
    password_hash: 'x',
    passwordHash: 'x',
    created_at: 'x',
  }

  test('is dropped at registration [SC 68]', async () => {
    const app = await startService()
    const reply = await app.call('POST', '/user/', { body: { email: 'e@example.com', password: PASSWORD, ...evil } })
    expect(reply).toMatchObject({ status: 201, body: { id: 3, roles: [], is_active: true } })
  })

  test('is dropped from a PATCH of oneself, a raw password too [SC 68]', async () => {
    const app = await startService()
    const { token, email, id } = await app.register('alice')
    const body = { email, ...evil, password: PASSWORD_2, 'ro!les': ['admin'] }
    const reply = await app.call('PATCH', '/user/current/', { token, body })
    expect(reply).toMatchObject({ status: 200, body: { id, roles: [], is_active: true } })
    expect(await app.login(email)).toMatchObject({ status: 200 })
    expect(await app.login(email, PASSWORD_2)).toMatchObject({ status: 401 })
  })

  test('is not set by __proto__ or constructor either [SC 68]', async () => {
    const app = await startService()
    const { token } = await app.register('alice')
    const raw =
      '{"email":"alice@example.com","__proto__":{"roles":["admin"],"first_name":"x"},"constructor":{"prototype":{"roles":["admin"]}}}'
    const headers = { 'content-type': 'application/json' }
    const reply = await app.call('PATCH', '/user/current/', { token, raw, headers })
    expect(reply).toMatchObject({ status: 200, body: { roles: [], first_name: null } })
    expect(({} as Record<string, unknown>)['roles']).toBeUndefined()
    const required = await app.call('POST', '/user/', { raw: '{"__proto__":{"email":"p@example.com"}}', headers })
    expect(required).toMatchObject({ status: 400, body: { detail: "'email' is a required property" } })
  })

  test('makes a 400 in the strict mode', async () => {
    const app = await startService({ registration: { strict: true } })
    expect(await app.call('POST', '/user/', { body: { email: 'e@example.com', roles: [] } })).toMatchObject({
      status: 400,
    })
  })

  test('is_active is for administrators, and not on themselves', async () => {
    const app = await startService()
    const admin = await app.admin()
    const alice = await app.register('alice')
    const service = tokenOf(await app.login('service@example.com', ADMIN_PASSWORD))
    const off = { email: 'alice@example.com', is_active: false }
    expect(await app.call('PATCH', `/user/${alice.id}/`, { token: service, body: off })).toMatchObject({
      body: { is_active: true },
    })
    const self = { email: 'admin@example.com', is_active: false }
    expect(await app.call('PATCH', '/user/current/', { token: admin.token, body: self })).toMatchObject({
      body: { is_active: true },
    })
    expect(await app.call('PATCH', `/user/${alice.id}/`, { token: admin.token, body: off })).toMatchObject({
      body: { is_active: false },
    })
  })

  test('the last active administrator stays one', async () => {
    const app = await startService()
    const { token, id } = await app.admin()
    const answer = { status: 400, body: { title: 'Bad Request' } }
    expect(await app.call('DELETE', `/user/${id}/`, { token })).toMatchObject(answer)
    expect(await app.call('PATCH', '/user/current/role/', { token, body: ['x'] })).toMatchObject(answer)
    expect(await app.call('GET', '/user/current/', { token })).toMatchObject({ status: 200 })
  })
})

describe('hostile input gets a 4xx', () => {
  const bodies: ReadonlyArray<readonly [string, unknown, number]> = [
    ['an address as an array', { email: ['a@example.com'], password: PASSWORD }, 400],
    ['an address as an object', { email: { $ne: null }, password: PASSWORD }, 400],
    ['an address of null', { email: null }, 400],
    ['an address with a line feed', { email: 'a@example.com\nBcc: x@example.com' }, 400],
    ['an address with a NUL', { email: 'a\u0000@example.com' }, 400],
    ['an address with nothing before the @', { email: '@example.com' }, 400],
    ['an address with nothing behind the @', { email: 'a@' }, 400],
    ['an address with a blank', { email: 'a b@example.com' }, 400],
    ['an address of 255 characters', { email: `${'a'.repeat(243)}@example.com` }, 400],
    ['a name of 65 characters', { email: 'a@example.com', first_name: 'x'.repeat(65) }, 400],
    ['a name with a NUL', { email: 'a@example.com', last_name: '\u0000' }, 400],
    ['a phone of 31 characters', { email: 'a@example.com', phone: '1'.repeat(31) }, 400],
    ['a short password', { email: 'a@example.com', password: 'x'.repeat(14) }, 400],
    ['an empty password', { email: 'a@example.com', password: '' }, 400],
    ['a password of 1025 characters', { email: 'a@example.com', password: 'xy '.repeat(342) }, 400],
    [
      'its own address as password',
      { email: 'alice.in.wonderland@example.com', password: 'alice.in.wonderland@example.com' },
      400,
    ],
    ['a password that everybody has', { email: 'a@example.com', password: 'passwordpassword' }, 400],
    ['a walk over the keyboard as password', { email: 'a@example.com', password: 'qwertyuiopasdfghjkl' }, 400],
  ]
  test.each(bodies)('%s', async (_what, body, status) => {
    const app = await startService(many)
    expect(await app.call('POST', '/user/', { body })).toMatchObject({ status })
  })

  test('a body of 10 MB, with or without its length: 413 before it was read [SC 100]', async () => {
    const app = await startService()
    const raw = Buffer.alloc(10_000_000, 0x20)
    const headers = { 'content-type': 'application/json' }
    expect(await app.call('POST', '/auth/login/', { raw, headers })).toMatchObject({ status: 413 })
    const chunked = await new Promise<number>((resolve, reject) => {
      const outgoing = request(`${app.url}/auth/login/`, { method: 'POST', headers }, (res) => {
        resolve(res.statusCode ?? 0)
        outgoing.destroy()
      })
      outgoing.on('error', reject)
      for (let at = 0; at < raw.length; at += 65_536) outgoing.write(raw.subarray(at, at + 65_536))
    })
    expect(chunked).toBe(413)
  })

  test('a body that is nested 30,000 deep', async () => {
    const app = await startService()
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
    const headers = { 'content-type': 'application/json' }
    for (const raw of [
      deep,
      `{"email":${deep},"password":"x"}`,
      `{"password":${deep},"email":"a@example.com"}`,
      `{"x":${deep}}`,
    ]) {
      expect(await app.call('POST', '/auth/login/', { raw, headers })).toMatchObject({ status: 400 })
    }
  })

  test('a form, a text, and JSON that is none [SC 75]', async () => {
    const app = await startService()
    const form = await app.call('POST', '/user/', {
      raw: 'email=a@example.com',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(form).toMatchObject({ status: 415 })
    const text = await app.call('POST', '/user/', {
      raw: '{"email":"a@example.com"}',
      headers: { 'content-type': 'text/plain' },
    })
    expect(text).toMatchObject({ status: 415 })
    const latin = await app.call('POST', '/user/', {
      raw: Buffer.from([0x7b, 0xff]),
      headers: { 'content-type': 'application/json' },
    })
    expect(latin).toMatchObject({ status: 400, body: { detail: 'Request body is not valid JSON' } })
  })

  test('whatever the body, no route answers 500 [SC 94]', { timeout: 60_000 }, async () => {
    const limit = { max: 1_000_000, windowSeconds: 60 }
    const names = [
      'login',
      'loginPerClient',
      'registrationPerClient',
      'resetPerClient',
      'confirmPerClient',
      'phone',
      'phonePerClient',
      'phoneConfirmPerClient',
    ] as const
    const limits = Object.fromEntries(names.map((name) => [name, limit]))
    const app = await startService({
      limits,
      passwords: { hasher: { hash: async () => 'x', verify: async () => false, needsRehash: () => false } },
    })
    const { token } = await app.register('alice')
    const routes = [
      'POST /auth/login/',
      'POST /user/',
      'PATCH /user/current/',
      'POST /user/current/set_password/',
      'PATCH /user/1/role/',
      'POST /password/reset/',
      'POST /password/reset/confirm/',
      'POST /verification/phone/',
      'POST /verification/phone/confirm/',
    ]
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a@example.com', '+15550001', 'None', '{token}', '\u0000@x', '__proto__'),
    )
    const value = fc.oneof(
      text,
      fc.jsonValue(),
      fc.array(text),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    const keys = [
      'email',
      'password',
      'phone',
      'first_name',
      'new_password',
      'token',
      'code',
      'resend',
      'url_template',
      'current_password',
      '__proto__',
      'is_active',
    ]
    const body = fc.oneof(fc.dictionary(fc.constantFrom(...keys), value), value)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), body, async (route, payload) => {
        const [method = '', path = ''] = route.split(' ')
        const reply = await app.call(method, path, {
          token,
          raw: JSON.stringify(payload),
          headers: { 'content-type': 'application/json' },
        })
        expect(reply.status, reply.text).toBeLessThan(500)
      }),
      { numRuns: 400 },
    )
  })

  test('whatever the path, no route answers 500', async () => {
    const app = await startService()
    const { token } = await app.admin()
    for (const path of [
      '/user/%/',
      '/user/%ff/',
      '/user/%2e%2e%2f/',
      '/user/1e3/',
      '/user/01/',
      '/user/99999999999999999999/',
      '/user/-1/',
      '/user/3x/',
      '/user/%00/',
      '//',
      '/?',
      '/user//',
      '/user/constructor/',
      '/__proto__/',
    ]) {
      const reply = await app.call('GET', path, { token })
      expect([400, 404, 405], `${path} ${reply.text}`).toContain(reply.status)
    }
  })
})

test('every answer is not to be stored, not to be sniffed, and names no framework', async () => {
  const app = await startService()
  for (const [method, path] of [
    ['GET', '/user/current/'],
    ['POST', '/auth/login/'],
    ['GET', '/nope/'],
  ] as const) {
    const { headers } = await app.call(method, path)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-powered-by')).toBeNull()
  }
})

test('a HEAD answers like a GET without its body, OPTIONS and 405 name the methods', async () => {
  const app = await startService()
  const { token } = await app.register('alice')
  expect(await app.call('HEAD', '/user/current/', { token })).toMatchObject({ status: 200, text: '' })
  const options = await app.call('OPTIONS', '/user/current')
  expect([options.status, options.headers.get('allow')]).toEqual([200, 'GET, PATCH, DELETE, HEAD, OPTIONS'])
  expect((await app.call('PUT', '/auth/login/')).headers.get('allow')).toBe('POST, OPTIONS')
})

describe('changing what a user is reached by', () => {
  test('needs a login of a moment ago, tells the old address, and drops reset tokens [SC 6, 93]', async () => {
    const app = await startService()
    const { token, email } = await app.register('alice')
    await app.call('POST', '/password/reset/', {
      body: { email, url_template: 'https://app.example.com/?t={token}&token={token}' },
    })
    await app.call('POST', '/password/reset/', {
      body: { email, url_template: 'https://app.example.com/?token={token}' },
    })
    await app.service.idle()
    app.clock.set(app.clock.now() + 301_000)
    const body = { email: 'new@example.com' }
    expect(await app.call('PATCH', '/user/current/', { token, body })).toMatchObject({
      status: 403,
      body: { code: 'ReauthenticationRequired' },
    })
    expect(await app.call('PATCH', '/user/current/', { token, body: { email, first_name: 'Al' } })).toMatchObject({
      status: 200,
    })
    app.clock.set(app.clock.now() - 301_000)
    expect(await app.call('PATCH', '/user/current/', { token, body })).toMatchObject({ status: 200 })
    await app.service.idle()
    expect(app.notices).toMatchObject([{ template: 'email_changed', to: 'alice@example.com' }])
    const confirm = { body: { token: resetTokenOf(app.mails), new_password: PASSWORD_2 } }
    expect(await app.call('POST', '/password/reset/confirm/', confirm)).toMatchObject({ status: 400 })
  })

  test('a password needs a fresh login or the current password, whose failures are counted [SC 6]', async () => {
    const app = await startService()
    const { token } = await app.register('alice')
    app.clock.set(app.clock.now() + 301_000)
    const set = (body: object) =>
      app.call('POST', '/user/current/set_password/', { token, body: { password: PASSWORD_2, ...body } })
    expect(await set({})).toMatchObject({ status: 403, body: { code: 'ReauthenticationRequired' } })
    expect(await set({ current_password: 'wrong' })).toMatchObject({ status: 401, body: { code: 'AuthFailure' } })
    expect(await set({ current_password: PASSWORD })).toMatchObject({ status: 200, text: '' })
    for (let count = 0; count < 10; count += 1) await set({ current_password: 'wrong' })
    expect(await set({ current_password: PASSWORD_2 })).toMatchObject({ status: 429 })
    await app.service.idle()
    expect(app.notices.map(({ template }) => template)).toEqual(['password_changed', 'login_failures'])
  })

  test('of others is closed where the switch says so', async () => {
    const app = await startService({ passwords: { setByOthers: false } })
    const { id } = await app.register('alice')
    const { token } = await app.admin()
    expect(
      await app.call('POST', `/user/${id}/set_password/`, { token, body: { password: PASSWORD_2 } }),
    ).toMatchObject({ status: 403 })
  })
})

test('of a hundred confirmations with one reset token exactly one counts [SC 72, 96]', async () => {
  const app = await startService({ limits: { confirmPerClient: { max: 1000, windowSeconds: 60 } } })
  const { email } = await app.register('alice')
  await app.call('POST', '/password/reset/', {
    body: { email, url_template: 'https://app.example.com/?token={token}' },
  })
  await app.service.idle()
  const token = resetTokenOf(app.mails)
  expect(await app.call('POST', '/password/reset/confirm/', { body: { token, new_password: 'short' } })).toMatchObject({
    body: { code: 'WeakPassword' },
  })
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      app.call('POST', '/password/reset/confirm/', { body: { token, new_password: `the passphrase number ${index}` } }),
    ),
  )
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  const winner = replies.findIndex(({ status }) => status === 200)
  expect(await app.login(email, `the passphrase number ${winner}`)).toMatchObject({ status: 200 })
})

test('a reset token dies with a newer one, with a login and with a password change [SC 72]', async () => {
  const app = await startService()
  const { email, token: bearer } = await app.register('alice')
  const ask = async (): Promise<string> => {
    await app.call('POST', '/password/reset/', { body: { email, url_template: 'https://app.example.com/#{token}' } })
    await app.service.idle()
    return /#(.+)$/.exec(app.mails.at(-1)?.variables['password_reset_url'] ?? '')?.[1] ?? ''
  }
  const confirm = (token: string) =>
    app.call('POST', '/password/reset/confirm/', { body: { token, new_password: PASSWORD_2 } })
  const refused = { status: 400, body: { code: 'InvalidToken', description: 'The specified token is invalid' } }
  const first = await ask()
  const second = await ask()
  expect(await confirm(first)).toMatchObject(refused)
  await app.login(email)
  expect(await confirm(second)).toMatchObject(refused)
  const third = await ask()
  await app.call('POST', '/user/current/set_password/', { token: bearer, body: { password: PASSWORD_2 } })
  expect(await confirm(third)).toMatchObject(refused)
})

const templates: readonly string[] = [
  'https://evil.example/{token}',
  'http://app.example.com/{token}',
  'https://app.example.com/',
  'https://app.example.com/{token}{token}',
  'https://app.example.com.evil.example/{token}',
  'https://app.example.com{token}',
  'https://app.example.com{token}.evil.example/',
  'https://{token}.app.example.com/',
  'https://user@app.example.com/{token}',
  'https://@app.example.com/{token}',
  'https://app.example.com@evil.example/{token}',
  'https://app.example.com\\@evil.example/{token}',
  'https://app.example.com/{token.__class__}',
  'https://app.example.com/{{token}}',
  'https://app.example.com/{x}{token}',
  'https://app.example.com:8443/{token}',
  '//app.example.com/{token}',
  'javascript:{token}',
  'https://app.example.com/ {token}',
  'https:app.example.com/{token}',
  '{token}',
  '',
]
test.each(templates)('a reset link of the form %j is refused before anybody is looked up [SC 72]', async (template) => {
  const app = await startService()
  for (const email of ['admin@example.com', 'nobody@example.com']) {
    const reply = await app.call('POST', '/password/reset/', { body: { email, url_template: template } })
    expect(reply).toMatchObject({ status: 400, body: { code: 'InvalidUrlTemplate' } })
  }
  await app.service.idle()
  expect(app.mails).toHaveLength(0)
})

test('a reset link may be plain http on this machine only, and only if it is configured [SC 72]', async () => {
  for (const origin of [
    'http://app.example.com',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'ftp://localhost',
  ])
    await expect(startService({ reset: { origins: [origin] } })).rejects.toThrow(/reset.origins/)
  const app = await startService({
    reset: { origins: ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000'] },
  })
  const ask = async (url_template: string): Promise<number> =>
    (await app.call('POST', '/password/reset/', { body: { email: 'admin@example.com', url_template } })).status
  for (const host of ['localhost:3000', '127.0.0.1:3000', '[::1]:3000'])
    expect(await ask(`http://${host}/reset/{token}`)).toBe(200)
  for (const url of [
    'http://localhost:3001/{token}',
    'http://localhost/{token}',
    'http://a@localhost:3000/{token}',
    'http://localhost:3000{token}',
  ])
    expect(await ask(url), url).toBe(400)
})

test('the Host header shapes no link [SC 72]', async () => {
  const app = await startService()
  const { email } = await app.register('alice')
  const headers = { 'x-forwarded-host': 'evil.example' }
  await app.call('POST', '/password/reset/', {
    headers,
    body: { email, url_template: 'https://app.example.com/?token={token}' },
  })
  await app.service.idle()
  expect(app.mails[0]?.variables['password_reset_url']).toMatch(/^https:\/\/app\.example\.com\/\?token=/)
})

describe('the quiet registration', () => {
  const quiet = { registration: { mode: 'quiet' as const, urlTemplate: 'https://app.example.com/?token={token}' } }

  test('answers the same for a new and a known address, and sends both a mail [SC 73]', async () => {
    const app = await startService(quiet)
    const reply = async (email: string) => {
      const { status, text } = await app.call('POST', '/user/', { body: { email, password: PASSWORD } })
      await app.service.idle()
      return { status, text }
    }
    expect(await reply('new@example.com')).toEqual(await reply('admin@example.com'))
    expect(app.mails.map(({ template }) => template)).toEqual(['registration', 'already_registered'])
    expect(await app.login('new@example.com')).toMatchObject({ status: 401 })
    const token = /token=(.+)$/.exec(app.mails[0]?.variables['password_reset_url'] ?? '')?.[1] ?? ''
    expect(
      await app.call('POST', '/password/reset/confirm/', { body: { token, new_password: PASSWORD } }),
    ).toMatchObject({ status: 200 })
    expect(await app.login('new@example.com')).toMatchObject({ status: 200 })
  })

  test('needs its link and a mail sender', async () => {
    await expect(startService({ registration: { mode: 'quiet' } })).rejects.toMatchObject({ code: 'ERR_OPTION' })
  })
})
