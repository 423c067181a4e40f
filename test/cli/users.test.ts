import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import express from 'express'
import { Kysely, sql } from 'kysely'
import { sqliteDialect, SqlStateStore, SqlUserStore } from 'passport-outofband/stores/sql'
import { argon2Hasher, userService } from 'passport-outofband/users'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../support/listen.js'
import { temporaryFolder } from '../support/temporary.js'
import { send } from '../users/service.js'

const root = new URL('../..', import.meta.url)

async function cli(...args: string[]): Promise<{ code: number; out: string }> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'src/cli.ts', ...args], {
      cwd: root,
    })
    return { code: 0, out: stdout }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout + stderr }
  }
}

async function originalDatabase(file: string): Promise<void> {
  const db = new Kysely<unknown>({ dialect: sqliteDialect({ file }) })
  await sql`create table "user" (id integer primary key, email text, phone text, first_name text, last_name text,
    password text, is_active boolean, last_login datetime, roles text, updated_at datetime, created_at datetime)`.execute(
    db,
  )
  const hash = await argon2Hasher().hash('the old passphrase of alice')
  const add = (id: number, email: string | null, password: string | null, roles: string, phone: string | null = null) =>
    sql`insert into "user" values (${id}, ${email}, ${phone}, 'A', null, ${password}, 1, null, ${roles}, null,
      '2020-02-05 12:00:00.123456')`.execute(db)
  await add(1, 'admin@example.com', hash, 'admin')
  await add(7, 'alice@example.com', hash, 'editor,staff', '+1 555 0001')
  await add(8, 'evil@example.com', 'plain text', 'admin')
  await add(9, 'ALICE@example.com', hash, '')
  await add(10, null, hash, '')
  await db.destroy()
}

test(
  'a database is migrated, the users of an original come over, and they can sign in',
  { timeout: 120_000 },
  async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'users.db')
    const original = join(folder, 'original.db')
    await originalDatabase(original)
    expect(await cli('migrate', '--database', file)).toMatchObject({
      code: 0,
      out: expect.stringContaining('0003_users') as string,
    })
    expect(await cli('migrate', '--database', file)).toEqual({ code: 0, out: 'nothing to do\n' })
    const taken = await cli('import-users', '--database', file, '--from', original, '--admins', 'admin@example.com')
    expect(taken.out).toContain('3 imported, 2 skipped')
    expect(taken.out).toContain('evil@example.com: the stored password is no hash and was dropped')
    expect(taken.out).toContain('evil@example.com: the role admin was dropped')
    expect(taken.out).not.toMatch(/plain text|argon2/)
    const made = await cli('provision', '--database', file, '--email', 'service@example.com', '--role', 'service')
    expect(made.out).toMatch(/^created user 10\nset-up token: 10\.[\w-]{43}\n$/)
    expect(
      (await cli('provision', '--database', file, '--email', 'service@example.com', '--role', 'service')).out,
    ).toContain('there already')
    const db = new Kysely<unknown>({ dialect: sqliteDialect({ file }) })
    onTestFinished(() => db.destroy())
    const secret = (await cli('keys')).out.trim()
    expect(secret).toMatch(/^[\w-]{64}$/)
    const service = userService({ store: new SqlUserStore({ db }), state: new SqlStateStore({ db }), keys: secret })
    const server = await listen(express().use(service))
    onTestFinished(() => server.close())
    const login = (email: string, password: string) =>
      send(`${server.url}/auth/login/`, 'POST', { body: { email, password } })
    expect(await login('alice@example.com', 'the old passphrase of alice')).toMatchObject({
      status: 200,
      body: { id: 7, roles: ['editor', 'staff'], created_at: '2020-02-05T12:00:00.123000' },
    })
    expect(await login('evil@example.com', 'plain text')).toMatchObject({ status: 401 })
    const token = /token: (\S+)/.exec(made.out)?.[1]
    const body = { token, new_password: 'a long passphrase of a service' }
    expect(await send(`${server.url}/password/reset/confirm/`, 'POST', { body })).toMatchObject({ status: 200 })
  },
)

test('wrong arguments say what is wrong, and a weak password is not repeated', { timeout: 60_000 }, async () => {
  const folder = temporaryFolder()
  const password = join(folder, 'password')
  writeFileSync(password, 'password\n')
  const file = join(folder, 'users.db')
  await cli('migrate', '--database', file)
  const weak = await cli(
    'provision',
    '--database',
    file,
    '--email',
    'a@example.com',
    '--role',
    'admin',
    '--password-file',
    password,
  )
  expect(weak.code).toBe(2)
  expect(weak.out).toContain('at least 15 characters')
  expect((await cli('keys', '--alg', 'none')).out).toContain('HS256, RS256, ES256 or EdDSA')
  expect((await cli('keys', '--alg', 'EdDSA')).out).toContain('BEGIN PRIVATE KEY')
  expect(await cli('migrate', '--databse', file)).toMatchObject({ code: 2 })
})

test(
  'rows that are none, and addresses of databases, are told without what is in them',
  { timeout: 60_000 },
  async () => {
    const folder = temporaryFolder()
    const [target, rows] = [join(folder, 'users.db'), join(folder, 'rows.jsonl')]
    const row = (values: object): string => JSON.stringify({ password: null, roles: 'service', ...values })
    const broken = '{"id": 5, "email": "c@example.com", "password": "$6$the-hash-of-carol'
    writeFileSync(
      rows,
      [row({ id: 3, email: 'a@example.com' }), broken, '["x"]', row({ id: 4, email: 'b@example.com' })].join('\n'),
    )
    await cli('migrate', '--database', target)
    const imported = await cli('import-users', '--database', target, '--from', rows, '--services', 'b@example.com')
    expect(imported).toMatchObject({ code: 0 })
    expect(imported.out).toContain('line 2 is no JSON object')
    expect(imported.out).toContain('line 3 is no JSON object')
    expect(imported.out).toContain('a@example.com: the role service was dropped')
    expect(imported.out).not.toContain('b@example.com: ')
    expect(imported.out).toContain('2 imported, 2 skipped')
    expect(imported.out).not.toContain('carol')
    const secret = 'mysql://root:the-password@db.internal/affo'
    for (const args of [
      ['import-users', '--database', target, '--from', secret],
      ['migrate', '--database', secret],
    ]) {
      const refused = await cli(...args)
      expect(refused.code).toBe(2)
      expect(refused.out).toContain('postgres://')
      expect(refused.out).not.toContain('the-password')
    }
  },
)
