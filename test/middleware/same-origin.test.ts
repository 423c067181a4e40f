import { deviceCookie, deviceOf, sameOrigin } from 'passport-outofband/middleware'
import express from 'express'
import request from 'supertest'
import { describe, expect, test } from 'vitest'

describe('sameOrigin', () => {
  const app = express()
  app.use(sameOrigin({ origins: ['https://app.example'] }) as never, (_req, res) => void res.json({}))
  const rows: readonly (readonly [string, Record<string, string>, number])[] = [
    ['nothing (no browser)', {}, 200],
    ['same-origin', { 'sec-fetch-site': 'same-origin', origin: 'https://bank.example' }, 200],
    ['none (typed by the person)', { 'sec-fetch-site': 'none' }, 200],
    ['same-site', { 'sec-fetch-site': 'same-site' }, 403],
    ['cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a word that does not exist', { 'sec-fetch-site': 'own' }, 403],
    ['our own other origin', { 'sec-fetch-site': 'cross-site', origin: 'https://app.example' }, 200],
    ['our origin', { origin: 'http://bank.example' }, 200],
    ['another origin', { origin: 'https://evil.example' }, 403],
    ['an origin that begins like ours', { origin: 'https://bank.example.evil' }, 403],
    ['another port', { origin: 'https://bank.example:8443' }, 403],
    ['null', { origin: 'null' }, 403],
    ['our referer', { referer: 'https://bank.example/login' }, 200],
    ['another referer', { referer: 'https://evil.example/bank.example' }, 403],
    ['no URL', { origin: 'bank.example' }, 403],
  ]
  test.each(rows)('given %s [SC 75]', async (_name, headers, status) => {
    await request(app)
      .post('/')
      .set({ host: 'bank.example', ...headers })
      .expect(status)
    await request(app)
      .get('/')
      .set({ host: 'bank.example', ...headers })
      .expect(200)
  })
})

describe('deviceCookie', () => {
  test('gives each browser one value that scripts and other sites do not see [SC 74]', async () => {
    const app = express()
    app.use(deviceCookie() as never, (req, res) => void res.json({ device: deviceOf(req) }))
    const first = await request(app).get('/')
    const cookie = first.headers['set-cookie']?.[0] ?? ''
    expect(cookie).toMatch(/^__Host-oob-device=[\w-]{22}; Path=\/; Max-Age=7776000; HttpOnly; SameSite=Lax; Secure$/)
    const again = await request(app)
      .get('/')
      .set('cookie', `a=b; ${cookie.split(';')[0]}; c`)
    expect(again.headers['set-cookie']).toBeUndefined()
    expect(again.body).toEqual(first.body)
    for (const forged of ['short', 'A'.repeat(23), '']) {
      const other = await request(app).get('/').set('cookie', `__Host-oob-device=${forged}`)
      expect(other.headers['set-cookie']).toHaveLength(1)
    }
  })
})
