import { inflateSync } from 'node:zlib'
import decodeQR from 'qr/decode.js'
import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rawRequest } from './raw-client.js'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ authy: { rateLimit: false } })
  const headers = { 'X-Authy-API-Key': sandbox.authy.apiKey, 'content-type': 'application/json' }
  const body = '{"user":{"email":"ada@example.com","cellphone":"2015550101","country_code":1}}'
  await rawRequest(sandbox.authy.url, 'POST', '/protected/json/users/new', headers, body)
})
afterAll(() => sandbox.close())

async function picture(body: object): Promise<{ png: Buffer; answer: Readonly<Record<string, unknown>> }> {
  const headers = { 'X-Authy-API-Key': sandbox.authy.apiKey, 'content-type': 'application/json' }
  const { json } = await rawRequest(
    sandbox.authy.url,
    'POST',
    '/protected/json/users/1635/secret',
    headers,
    JSON.stringify(body),
  )
  const png = await fetch(String(json['qr_code']))
  expect(png.headers.get('content-type')).toBe('image/png')
  expect(png.headers.get('cache-control')).toBe('no-store')
  return { png: Buffer.from(await png.arrayBuffer()), answer: json }
}

/** Reads our own kind of PNG: one bit a pixel, no filter. */
function pixels(png: Buffer): { width: number; height: number; data: Uint8Array } {
  const width = png.readUInt32BE(16)
  const height = png.readUInt32BE(20)
  const start = png.indexOf('IDAT')
  const rows = inflateSync(png.subarray(start + 4, start + 4 + png.readUInt32BE(start - 4)))
  const stride = 1 + Math.ceil(width / 8)
  const data = new Uint8Array(width * height * 4).fill(255)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const white = ((rows[y * stride + 1 + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1
      data.fill(white * 255, (y * width + x) * 4, (y * width + x) * 4 + 3)
    }
  }
  return { width, height, data }
}

// Labels of these lengths make codes of small, middle and large versions, with and without version information.
test.each([1, 40, 90, 160, 250])(
  'the picture of the seed can be read by a scanner: label of %i letters',
  async (length) => {
    const label = 'l'.repeat(length)
    const { png, answer } = await picture({ label, qr_size: 600 })
    expect(answer).toMatchObject({ label, issuer: 'Sandbox', success: true })
    const link = new URL(decodeQR(pixels(png)))
    expect(link.protocol).toBe('otpauth:')
    expect(link.searchParams.get('issuer')).toBe('Sandbox')
    expect(decodeURIComponent(link.pathname)).toContain(label)
    const { json } = await rawRequest(sandbox.authy.url, 'GET', '/protected/json/users/1635/secret/export', {
      'X-Authy-API-Key': sandbox.authy.apiKey,
    })
    expect(link.searchParams.get('secret')).toBe(json['secret'])
  },
)

test('the phone shows the codes of a picture that it scans, and the service takes them', async () => {
  const { png } = await picture({ label: 'ada@example.com' })
  const link = decodeQR(pixels(png))
  const device = await sandbox.phone.enrol(link)
  expect(device).toMatchObject({ provider: 'authenticator', name: 'Sandbox', owner: 'ada@example.com' })
  const { code, expiresAt } = sandbox.phone.code(device.id)
  expect(code).toMatch(/^[0-9]{6}$/)
  expect(expiresAt).toBeGreaterThan(sandbox.clock.now())
  const path = `/protected/json/verify/${code}/1635?force=true`
  const verified = await rawRequest(sandbox.authy.url, 'GET', path, { 'X-Authy-API-Key': sandbox.authy.apiKey })
  expect(verified.json).toMatchObject({ token: 'is valid' })
  for (const bad of ['otpauth://totp/x?secret=1', 'otpauth://totp/']) {
    await expect(sandbox.phone.enrol(bad)).rejects.toMatchObject({ reason: 'invalid' })
  }
})

test('refuses a size or a label that makes no picture', async () => {
  const headers = { 'X-Authy-API-Key': sandbox.authy.apiKey, 'content-type': 'application/json' }
  const ask = (body: string) =>
    rawRequest(sandbox.authy.url, 'POST', '/protected/json/users/1635/secret', headers, body)
  expect((await ask('{"qr_size":"huge"}')).json).toMatchObject({ error_code: '60004' })
  expect((await ask(JSON.stringify({ label: 'x'.repeat(256) }))).json).toMatchObject({ error_code: '60122' })
  expect((await ask(JSON.stringify({ label: '€'.repeat(255) }))).json).toMatchObject({ error_code: '60122' })
  sandbox.authy.switches.genericTokens = false
  expect((await ask('{}')).json).toMatchObject({ error_code: '60123' })
})
