import fc from 'fast-check'
import { createHmac } from 'node:crypto'
import { signOneTouch, verifyOneTouchSignature, type SignedOneTouchCallback } from 'passport-outofband/webhooks'
import { describe, expect, test } from 'vitest'
import { answerBody, apiKey, callbackUrl, queryOf, type Json } from './one-touch-support.js'

const nonce = '1530000123'
const rawBody = Buffer.from(JSON.stringify(answerBody()))
const rawQuery = queryOf(answerBody())
const posted = { apiKey, nonce, method: 'POST', url: callbackUrl, rawBody }
const got = { apiKey, nonce, method: 'GET', url: callbackUrl, rawQuery }
const valid = { ...posted, signature: signOneTouch(posted) }
const validGet = { ...got, signature: signOneTouch(got) }

/** The page's worked example. */
test('signs and verifies the documented example', () => {
  const example = {
    apiKey: 'example-key',
    nonce: '1530000000',
    method: 'POST',
    url: callbackUrl,
    rawBody:
      '{"status":"approved","authy_id":7,"approval_request":{"transaction":{"details":{"amount":"a/b~c!","Amount":"10 €"},"flagged":false,"reason":null,"device_details":{}},"logos":[{"res":"default","url":"https://x.example/a.png"},{"res":"low","url":"https://x.example/b.png"}]},"device":{"enabled_unlock_methods":["pin","fingerprint"]}}',
  }
  expect(signOneTouch(example)).toBe('yieylT3Mev7q/1zuQK/TV1Xse9kF49WhghcvhByCms0=')
  const query = { ...example, method: 'GET', rawBody: undefined, rawQuery: 'authy_id=7&status=approved' }
  expect(signOneTouch(query)).toBe('q+VHy8cG4K0qRqaUb88/xvAONZjtvn50EIIpKRqwfqY=')
})

/** The algorithm once more, slow and simple: JSON.parse, a flat list of blocks, URLSearchParams for the encoding. */
function reference(body: string): string {
  const encode = (text: string): string =>
    new URLSearchParams([['', text]]).toString().slice(1).replaceAll('*', '%2A').replaceAll('%7E', '~')
  const blocks = (name: string, value: Json): string => {
    if (Array.isArray(value)) return joined(value.map((entry: Json) => blocks(`${name}[]`, entry)))
    if (typeof value !== 'object' || value === null) return `${encode(name)}=${encode(String(value ?? ''))}`
    return sorted(Object.entries(value).map(([key, entry]) => blocks(`${name}[${key}]`, entry)))
  }
  const joined = (parts: readonly string[]): string => parts.filter(Boolean).join('&')
  const sorted = (parts: readonly string[]): string =>
    joined([...parts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  const top = JSON.parse(body) as Record<string, Json>
  return sorted(Object.entries(top).map(([key, value]) => blocks(key, value)))
}

function referenceSignature(key: string, body: string): string {
  return createHmac('sha256', key)
    .update(`${nonce}|POST|${callbackUrl}|${reference(body)}`)
    .digest('base64')
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('a', 'b', '1', '-', '_', 'A', '[', ']', ' ', '%', '=', '&', 'é', '€', '😀', '"', '\\', '/'),
    maxLength: 6,
  }),
)
const { tree } = fc.letrec<{ tree: Json; object: Record<string, Json> }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(text, tie('tree'), { maxKeys: 6 }),
}))
const object = fc.dictionary(text, tree, { maxKeys: 8 })

test('signs any body as an independent, slow implementation does [SC 44]', () => {
  fc.assert(
    fc.property(
      object,
      fc.string({ minLength: 1, maxLength: 100 }),
      fc.constantFrom(undefined, 1, '\t'),
      (body, key, space) => {
        const json = JSON.stringify(body, undefined, space)
        expect(signOneTouch({ ...posted, apiKey: key, rawBody: json })).toBe(referenceSignature(key, json))
      },
    ),
    { numRuns: 1500 },
  )
})

test('signs bodies of every length around what is kept for usual ones [SC 44]', () => {
  // 16 KiB are kept for a body, 64 KiB for what is made of it; text is copied four bytes at a time.
  const fill = (length: number, unit: string): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
  for (const size of [16 * 1024, 32 * 1024, 64 * 1024]) {
    for (let length = size - 16; length <= size + 16; length += 1) {
      for (const unit of ['x', 'xyz/']) {
        const body = JSON.stringify({
          [fill(length % 7, 'k')]: 'before',
          z: { ['y'.repeat(5)]: fill(length - 32, unit) },
        })
        expect(signOneTouch({ ...posted, rawBody: body })).toBe(referenceSignature(apiKey, body))
      }
    }
  }
})

test('escapes of any kind mean what they stand for [SC 44]', () => {
  fc.assert(
    fc.property(object, (body) => {
      const json = JSON.stringify(body)
      // Every character outside of ASCII as \uXXXX, and slashes escaped.
      const escaped = json
        .replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .replaceAll('/', '\\/')
      expect(signOneTouch({ ...posted, rawBody: escaped })).toBe(signOneTouch({ ...posted, rawBody: json }))
    }),
  )
})

test('sorts members whose keys begin one another by their whole blocks [SC 44]', () => {
  const bodies = [
    '{"a":1,"a1":2,"a-":3,"ab":4,"a b":5,"a[b]":6,"a%":7}',
    '{"a":{"z":1},"a[b]":2,"a":3}'.replace(',"a":3', ''),
    '{"o":{"a":1,"a]":2,"a[":3,"a b":4,"a%5D":5,"a":{}}}'.replace(',"a":{}', ''),
    '{"k":{"x":{"b":1},"x[a]":2,"x][a":3}}',
    '{"":{"a":1},"[a]":2,"[":3}',
  ]
  for (const body of bodies) expect(signOneTouch({ ...posted, rawBody: body })).toBe(referenceSignature(apiKey, body))
})

test('keeps the text of numbers that a JSON parser would change [SC 44]', () => {
  const sign = (body: string): string => signOneTouch({ ...posted, rawBody: body })
  for (const number of ['12.0', '9007199254740993', '1e5', '1E+5', '-0', '0.10', '123456789012345678901234567890']) {
    expect(sign(`{"n":${number}}`)).toBe(sign(`{"n":"${number}"}`))
  }
})

test('takes a key of any length as RFC 2104 does', () => {
  for (const length of [1, 20, 21, 22, 31, 32, 63, 64, 65, 100, 200]) {
    for (const unit of ['k', 'é', '€']) {
      const key = unit.repeat(length)
      expect(signOneTouch({ ...posted, apiKey: key })).toBe(referenceSignature(key, rawBody.toString()))
    }
  }
})

describe('one bit', () => {
  const flipped = (bytes: Uint8Array): Buffer[] =>
    Array.from({ length: bytes.length * 8 }, (_, bit) => {
      const copy = Buffer.from(bytes)
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return copy
    })
  const flippedText = (value: string): string[] =>
    flipped(Buffer.from(value, 'latin1')).map((bytes) => bytes.toString('latin1'))

  test.each([
    ['signature', valid],
    ['signature', validGet],
    ['nonce', valid],
    ['nonce', validGet],
    ['method', validGet],
  ] as const)('of the %s makes a callback invalid [SC 41]', (field, callback) => {
    for (const value of flippedText(callback[field])) {
      // POST in another case is POST still.
      if (field === 'method' && value.toUpperCase() === callback.method) continue
      expect(verifyOneTouchSignature({ ...callback, [field]: value })).toBe(false)
    }
  })

  test('of the URL makes a callback invalid, but for the case of scheme and host [SC 43]', () => {
    for (const url of flippedText(callbackUrl)) {
      const isSame = /^https:\/\/app\.example\.com\/authy\/callback(?:[?#].*)?$/.test(
        url.replace(/^[^/]*\/\/[^/]*/, (origin) => origin.toLowerCase()),
      )
      expect(verifyOneTouchSignature({ ...valid, url })).toBe(isSame)
    }
  })

  test('of the body or the query that reaches the string to sign makes a callback invalid [SC 40]', () => {
    for (const body of flipped(rawBody)) {
      if (!verifyOneTouchSignature({ ...valid, rawBody: body })) continue
      // What the scheme can't tell apart: white space, and nothing else here.
      expect(reference(body.toString())).toBe(reference(rawBody.toString()))
    }
    for (const query of flippedText(rawQuery))
      expect(verifyOneTouchSignature({ ...validGet, rawQuery: query })).toBe(false)
  })
})

const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{"b":1}${'}'.repeat(depth - 1)}`
const pairs = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`
const signed = (body: string): SignedOneTouchCallback => ({
  ...posted,
  rawBody: body,
  signature: referenceSignature(apiKey, body),
})

const refusals: readonly (readonly [why: string, callback: object])[] = [
  ['no signature', { ...valid, signature: undefined }],
  ['an empty signature', { ...valid, signature: '' }],
  ['two signatures', { ...valid, signature: [valid.signature, valid.signature] }],
  ['one signature in an array', { ...valid, signature: [valid.signature] }],
  ['two signatures, joined', { ...valid, signature: `${valid.signature}, ${valid.signature}` }],
  ['a signature without padding', { ...valid, signature: valid.signature.slice(0, 43) }],
  ['a signature in URL-safe letters', { ...valid, signature: `${'-'.repeat(43)}=` }],
  ['a signature with white space', { ...valid, signature: ` ${valid.signature}` }],
  [
    'a signature with unused bits set',
    { ...valid, signature: `${valid.signature.slice(0, 42)}${nextDigit(valid.signature)}=` },
  ],
  ['a signature that names an algorithm', { ...valid, signature: `sha1=${valid.signature}` }],
  ['no nonce', { ...valid, nonce: undefined }],
  ['an empty nonce', { ...valid, nonce: '' }],
  ['a nonce in an array', { ...valid, nonce: [nonce] }],
  ['a number for a nonce', { ...valid, nonce: Number(nonce) }],
  ['an empty key', { ...valid, apiKey: '' }],
  ['no keys', { ...valid, apiKey: [] }],
  ['only empty keys', { ...valid, apiKey: ['', ''] }],
  ['another method', { ...valid, method: 'PUT' }],
  ['no method', { ...valid, method: undefined }],
  ['a GET without query', { ...validGet, rawQuery: undefined }],
  ['a POST without body', { ...valid, rawBody: undefined }],
  ['a body that a parser made', { ...valid, rawBody: answerBody() }],
  ['a URL without scheme', { ...valid, url: 'app.example.com/authy/callback' }],
  ['a URL with a user name', { ...valid, url: 'https://me@app.example.com/authy/callback' }],
  ['nothing', {}],
  ['a key twice', signed('{"a":1,"a":1}')],
  [
    'a key twice, once escaped',
    { ...posted, rawBody: '{"a":1,"\\u0061":1}', signature: referenceSignature(apiKey, '{"a":1}') },
  ],
  [
    'a key twice, as object and as text',
    {
      ...posted,
      rawBody: '{"a":{},"ab":1,"a-":2,"a":"x"}',
      signature: referenceSignature(apiKey, '{"a":"x","ab":1,"a-":2}'),
    },
  ],
  ['a depth of 17', signed(nested(17))],
  ['2001 pairs', signed(pairs(2001))],
  ['more than 256 KiB', signed(JSON.stringify({ a: 'x'.repeat(256 * 1024) }))],
  [
    'parameters that multiply',
    signed(JSON.stringify({ ['n'.repeat(100_000)]: Array.from({ length: 1000 }, () => 1) })),
  ],
  [
    'an array',
    {
      ...posted,
      rawBody: '[]',
      signature: createHmac('sha256', apiKey).update(`${nonce}|POST|${callbackUrl}|`).digest('base64'),
    },
  ],
  ['two documents', { ...valid, rawBody: Buffer.concat([rawBody, rawBody]) }],
  ['a byte order mark', { ...valid, rawBody: Buffer.concat([Buffer.from('\ufeff'), rawBody]) }],
  ['a trailing zero byte', { ...valid, rawBody: Buffer.concat([rawBody, Buffer.alloc(1)]) }],
]

function nextDigit(signature: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return digits.charAt(digits.indexOf(signature.charAt(42)) + 1)
}

test('the callbacks that the refusals start from are valid', () => {
  expect(verifyOneTouchSignature(valid)).toBe(true)
  expect(verifyOneTouchSignature(validGet)).toBe(true)
  expect(verifyOneTouchSignature(signed(nested(16)))).toBe(true)
  expect(verifyOneTouchSignature(signed(pairs(2000)))).toBe(true)
})

test.each(refusals)('refuses %s [SC 41, 47]', (_why, callback) => {
  expect(verifyOneTouchSignature(callback as SignedOneTouchCallback)).toBe(false)
})

test.each([
  '{"a":1}}',
  '{"a":01}',
  '{"a":1.}',
  '{"a":.5}',
  '{"a":+1}',
  '{"a":1e}',
  '{"a":tru}',
  '{"a":nulll}',
  "{'a':1}",
  '{"a":1,}',
  '{,}',
  '{"a"}',
  '{"a":}',
  '{"a":[1,]}',
  '{"a":[1 2]}',
  '{"a":"\t"}',
  '{"a":"\\x"}',
  '{"a":"\\u12"}',
  '{"a":"\\u12g4"}',
  '{"a":"',
  '{"a":"\\',
  '{"a":NaN}',
  '{a:1}',
  '{"a":1',
  '',
  ' ',
  'null',
  '"x"',
  '{"a":"\\ud800"}',
  '{"a":"\\udc00\\ud800"}',
  '{"a":"\\ud800x"}',
  '\u00a0{}',
  '{"a":-}',
])('does not read %j as JSON', (body) => {
  expect(() => signOneTouch({ ...posted, rawBody: body })).toThrow(
    expect.objectContaining({ code: 'ERR_INPUT', field: 'rawBody' }),
  )
})

test('bytes that are no UTF-8 are refused', () => {
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf5, 0x80, 0x80, 0x80]]) {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])
    expect(() => signOneTouch({ ...posted, rawBody: body })).toThrow(expect.objectContaining({ code: 'ERR_INPUT' }))
  }
})

test('never throws, whatever headers and bodies come [SC 42]', () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withTypedArray: true })
  const callback = fc.record(
    {
      signature: fc.oneof(anything, fc.constant(valid.signature)),
      nonce: fc.oneof(anything, fc.string()),
      method: fc.oneof(anything, fc.constantFrom('POST', 'GET', 'post')),
      rawBody: fc.oneof(anything, fc.uint8Array({ maxLength: 200 }), fc.json(), fc.string()),
      rawQuery: fc.oneof(anything, fc.string()),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(callback, (hostile) => {
      expect(verifyOneTouchSignature({ apiKey, url: callbackUrl, ...hostile } as SignedOneTouchCallback)).toBe(false)
    }),
    { numRuns: 2000 },
  )
})

test('mutated bodies are refused or read as JSON.parse reads them [SC 42]', () => {
  const mutation = fc.tuple(fc.nat(rawBody.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(3))
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const body = Buffer.from(rawBody)
      for (const [at, byte] of mutations) body[at] = byte
      let ours: string | undefined
      try {
        ours = signOneTouch({ ...posted, rawBody: body })
      } catch {
        return
      }
      // Numbers may differ in their text; everything that we read, JSON.parse reads.
      expect(() => void JSON.parse(body.toString())).not.toThrow()
      expect(ours).toHaveLength(44)
    }),
    { numRuns: 2000 },
  )
})

test('every configured key is good, in any place, and no other [SC 46]', () => {
  for (const keys of [[apiKey], [apiKey, 'other'], ['other', apiKey], ['a', 'b', apiKey, 'c'], ['', apiKey]]) {
    expect(verifyOneTouchSignature({ ...valid, apiKey: keys })).toBe(true)
  }
  expect(verifyOneTouchSignature({ ...valid, apiKey: ['other', 'another'] })).toBe(false)
})

test('hostile bodies cost little: many keys with a long common beginning [SC 48]', () => {
  const keys = Array.from({ length: 1900 }, (_, index) => `${'k'.repeat(100)}${index}`)
  const body = JSON.stringify(Object.fromEntries(keys.reverse().map((key) => [key, ''])))
  expect(signOneTouch({ ...posted, rawBody: body })).toBe(referenceSignature(apiKey, body))
})
