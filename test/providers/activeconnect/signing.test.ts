import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  ACTIVECONNECT_DIALECTS,
  signActiveconnectRequest,
  verifyActiveconnectRequest,
  type ActiveconnectKnobs,
  type ActiveconnectRefusal,
  type VerifyActiveconnectOptions,
} from 'passport-outofband/activeconnect'

interface SignVector {
  readonly id: string
  readonly why: string
  readonly profile: 'shipped' | 'documented'
  readonly input: {
    readonly clientId: string
    readonly secret: string
    readonly nonce: string
    readonly url: string
    readonly timestamp: string
    readonly knobs: ActiveconnectKnobs
  }
  readonly expected: { readonly nonceString: string; readonly headers: Readonly<Record<string, string>> }
}

interface VerifyVector {
  readonly id: string
  readonly why: string
  readonly request: { readonly url: string; readonly headers: Readonly<Record<string, string>> }
  readonly secretOfClient: Readonly<Record<string, string>>
  readonly knobs: ActiveconnectKnobs
  readonly now: number
  readonly maxSkewSeconds: number
  readonly noncesAlreadySeen: readonly string[]
  readonly expect: 'accept' | 'reject'
  readonly reason?: string
}

const vectors = JSON.parse(readFileSync(new URL('../../vectors/activeconnect-hmac.json', import.meta.url), 'utf8')) as {
  presets: unknown
  sign: readonly SignVector[]
  verify: readonly VerifyVector[]
}

const SECRET = 'USV76X7O9HLRO17HDWEDZ0UPM0U2FHSM'
const URL_ = 'https://activeconnect.activeapi.ninja/management/add_users/ABCD'
const NOW = 1_603_238_400

describe('the shared vectors', () => {
  it('has the presets of the vector file', () => {
    expect(ACTIVECONNECT_DIALECTS).toEqual(vectors.presets)
  })

  test.each(vectors.sign.map((vector) => [vector.id, vector.why, vector] as const))(
    'signs %s: %s',
    (_id, _why, vector) => {
      const { clientId, secret, nonce, url, timestamp, knobs } = vector.input
      const signed = signActiveconnectRequest({
        clientId,
        secret,
        url,
        nonce: BigInt(nonce),
        timestampSeconds: Number(timestamp),
        dialect: vector.profile,
        ...knobs,
      })
      expect(signed).toEqual({ nonce: vector.expected.nonceString, headers: vector.expected.headers })
    },
  )

  test.each(vectors.sign.map((vector) => [vector.id, vector.why, vector] as const))(
    'accepts %s: %s',
    (_id, _why, vector) => {
      const { clientId, secret, url, timestamp, knobs } = vector.input
      const verified = verifyActiveconnectRequest({
        url,
        headers: vector.expected.headers,
        secretOf: (id) => (id === clientId ? secret : undefined),
        nowSeconds: Number(timestamp),
        dialect: vector.profile,
        ...knobs,
      })
      expect(verified).toEqual({ ok: true, clientId, nonce: vector.expected.nonceString })
    },
  )

  test.each(vectors.verify.map((vector) => [vector.id, vector.expect, vector.why, vector] as const))(
    '%s: %ss %s',
    (_id, _expect, _why, vector) => {
      const verified = verifyActiveconnectRequest({
        url: vector.request.url,
        headers: vector.request.headers,
        ...vector.knobs,
        secretOf: (id) => new Map(Object.entries(vector.secretOfClient)).get(id),
        nowSeconds: vector.now,
        maxSkewSeconds: vector.maxSkewSeconds,
        isNonceSeen: (_clientId, nonce) => vector.noncesAlreadySeen.includes(nonce),
      })
      if (vector.expect === 'accept') expect(verified).toMatchObject({ ok: true })
      else expect(verified).toEqual({ ok: false, reason: vector.reason })
    },
  )
})

function verify(over: Partial<VerifyActiveconnectOptions> = {}): string {
  const { headers } = signActiveconnectRequest({
    clientId: 'ABCD',
    secret: SECRET,
    url: URL_,
    nonce: 42n,
    timestampSeconds: NOW,
  })
  const result = verifyActiveconnectRequest({
    url: URL_,
    headers: headers,
    secretOf: (id) => (id === 'ABCD' ? SECRET : undefined),
    nowSeconds: NOW,
    ...over,
  })
  return result.ok ? 'ok' : result.reason
}

function changed(change: (headers: Record<string, string | string[]>) => void): Partial<VerifyActiveconnectOptions> {
  const { headers } = signActiveconnectRequest({
    clientId: 'ABCD',
    secret: SECRET,
    url: URL_,
    nonce: 42n,
    timestampSeconds: NOW,
  })
  const copy: Record<string, string | string[]> = { ...headers }
  change(copy)
  return { headers: copy }
}

const credential = String(signedHeaders()['Authentication'])
function signedHeaders(): Readonly<Record<string, string>> {
  return signActiveconnectRequest({ clientId: 'ABCD', secret: SECRET, url: URL_, nonce: 42n, timestampSeconds: NOW })
    .headers
}

const rows: readonly (readonly [
  why: string,
  over: Partial<VerifyActiveconnectOptions>,
  outcome: ActiveconnectRefusal | 'ok',
])[] = [
  ['nothing changed', {}, 'ok'],
  ['300 s late', { nowSeconds: NOW + 300 }, 'ok'],
  ['300 s early', { nowSeconds: NOW - 300 }, 'ok'],
  ['301 s early', { nowSeconds: NOW - 301 }, 'timestamp-skew'],
  ['the same credential in both headers', changed((h) => (h['Authorization'] = credential)), 'ok'],
  [
    'the credential in Authorization alone',
    changed((h) => {
      delete h['Authentication']
      h['authorization'] = credential
    }),
    'ok',
  ],
  [
    'the credential header twice',
    changed((h) => (h['Authentication'] = [credential, 'hmac x'])),
    'malformed-credentials',
  ],
  ['no time', changed((h) => delete h['X-Sonikpass-Authentication-Timestamp']), 'missing-credentials'],
  ['no version', changed((h) => delete h['X-Sonikpass-Authentication-Version']), 'missing-credentials'],
  ['version 2', changed((h) => (h['X-Sonikpass-Authentication-Version'] = '2')), 'version'],
  [
    'the time twice',
    changed((h) => (h['X-Sonikpass-Authentication-Timestamp'] = [String(NOW), String(NOW)])),
    'timestamp-format',
  ],
  [
    'two spaces after the scheme',
    changed((h) => (h['Authentication'] = credential.replace(' ', '  '))),
    'malformed-credentials',
  ],
  [
    'an empty client id',
    changed((h) => (h['Authentication'] = credential.replace('ABCD', ''))),
    'malformed-credentials',
  ],
  ['another client', changed((h) => (h['Authentication'] = credential.replace('ABCD', 'ABCE'))), 'unknown-client'],
  [
    'a nonce in lower case, which is another text',
    changed((h) => (h['Authentication'] = credential.replace('2A:', '2a:'))),
    'signature',
  ],
  [
    'a nonce of 21 digits',
    changed((h) => (h['Authentication'] = credential.replace(/:0+2A:/, `:${'1'.repeat(21)}:`))),
    'malformed-credentials',
  ],
  ['a nonce of the wrong kind when one is pinned', { nonceFormat: 'dec' }, 'malformed-credentials'],
  ['another query', { url: `${URL_}?a=1` }, 'signature'],
  ['another host', { url: URL_.replace('activeapi', 'evil') }, 'signature'],
  [
    'the URL moved behind a second scheme (attack 3 of the protocol page)',
    { url: `https://host/x?z=://${URL_.slice(8)}` },
    'signature',
  ],
  ['a nonce that was seen', { isNonceSeen: (id, nonce) => id === 'ABCD' && nonce === '000000000000002A' }, 'replay'],
]

describe('verifyActiveconnectRequest', () => {
  test.each(rows.map(([why, over, outcome]) => [why, outcome, over] as const))(
    '%s -> %s [SC 88]',
    (_why, outcome, over) => {
      expect(verify(over)).toBe(outcome)
    },
  )

  it('asks for the nonce only after the signature was found good, so a forger cannot fill the memory [SC 88]', () => {
    const asked: string[] = []
    verify({ url: `${URL_}x`, isNonceSeen: (_id, nonce) => asked.push(nonce) > 0 })
    expect(asked).toEqual([])
  })

  it('never throws on a hostile URL or header', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()))),
        (url, headers) => {
          expect(verifyActiveconnectRequest({ url, headers, secretOf: () => SECRET, nowSeconds: NOW }).ok).toBe(false)
        },
      ),
    )
  })

  it('names an unknown option', () => {
    expect(() => verify(Object.assign({ nowSeconds: NOW }, { nonceFormt: 'dec' }))).toThrow(
      /did you mean 'nonceFormat'/,
    )
  })
})

const arbitraryKnobs = fc.record({
  tokenNonce: fc.constantFrom('text', 'binary'),
  nonceFormat: fc.constantFrom('hex16', 'dec', 'dec20'),
  nonceByteOrder: fc.constantFrom('be', 'le'),
  secretEncoding: fc.constantFrom('utf8', 'base64'),
  uriForm: fc.constantFrom('noscheme', 'absolute'),
  headerPrefix: fc.constantFrom('Sonikpass', 'IAMPASS', 'X1'),
  headerSpelling: fc.constantFrom('Authentication', 'Authentiaction'),
  credentialHeader: fc.constantFrom('Authentication', 'Authorization'),
  dialect: fc.constantFrom('shipped', 'documented'),
} as const)

describe('the algebra', () => {
  it('verifies whatever it signed, with every combination of knobs', () => {
    fc.assert(
      fc.property(
        arbitraryKnobs,
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        fc.webUrl({ withQueryParameters: true }),
        (knobs, nonce, url) => {
          // 24 characters of base64 alphabet: 24 bytes as text, so give dialect documented what it wants in either encoding.
          const secret = knobs.secretEncoding === 'utf8' ? 'correct0horse0battery024' : SECRET
          const signed = signActiveconnectRequest({
            clientId: 'app',
            secret,
            url,
            nonce,
            timestampSeconds: NOW,
            ...knobs,
          })
          expect(
            verifyActiveconnectRequest({
              url,
              headers: signed.headers,
              secretOf: () => secret,
              nowSeconds: NOW,
              ...knobs,
            }),
          ).toEqual({ ok: true, clientId: 'app', nonce: signed.nonce })
        },
      ),
    )
  })

  it('refuses after any change to path or query [SC 88]', () => {
    fc.assert(
      fc.property(fc.nat(URL_.length - 9), fc.constantFrom('x', '/', '%', '1'), (at, character) => {
        const index = at + 8
        const url = URL_.slice(0, index) + character + URL_.slice(index + 1)
        expect(verify({ url })).toBe(url === URL_ ? 'ok' : 'signature')
      }),
    )
  })
})

test.each([true, false])(
  'an answer about a nonce that comes later (%s) is a mistake, and accepts nothing [SC 88]',
  (seen) => {
    const isNonceSeen = (() => Promise.resolve(seen)) as never
    expect(() => verify({ isNonceSeen })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', option: 'isNonceSeen' }),
    )
  },
)

describe('signActiveconnectRequest', () => {
  it('draws another nonce each time', () => {
    const nonces = new Set(
      Array.from({ length: 100 }, () => signActiveconnectRequest({ clientId: 'a', secret: 's', url: URL_ }).nonce),
    )
    expect(nonces.size).toBe(100)
  })

  it('does not sign a fragment, which is never sent', () => {
    const options = { clientId: 'ABCD', secret: SECRET, nonce: 42n, timestampSeconds: NOW }
    expect(signActiveconnectRequest({ ...options, url: `${URL_}#top` }).headers).toEqual(signedHeaders())
  })

  test.each([
    ['a client id with a colon', { clientId: 'a:b' }, 'clientId'],
    ['a client id with a line break', { clientId: 'a\r\nb' }, 'clientId'],
    ['no secret', { secret: '' }, 'secret'],
    ['a secret of 23 bytes in dialect documented', { dialect: 'documented', secret: 'A'.repeat(31) }, 'secret'],
    ['a secret that is not base64', { secretEncoding: 'base64', secret: '!!!!' }, 'secret'],
    ['a relative URL', { url: '/path' }, 'url'],
    ['a URL with a line break', { url: `${URL_}\r\nX: y` }, 'url'],
    ['a nonce of 65 bits', { nonce: 1n << 64n }, 'nonce'],
    ['a header prefix with a line break', { headerPrefix: 'A\r\nB' }, 'headerPrefix'],
  ] as const)('refuses %s', (_why, over, option) => {
    expect(() => signActiveconnectRequest({ clientId: 'ABCD', secret: SECRET, url: URL_, ...over })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', option }),
    )
  })

  it('reads a hexadecimal secret whose leading zeros were dropped', () => {
    const options = { clientId: 'A', url: URL_, nonce: 1n, timestampSeconds: NOW, secretEncoding: 'hex' } as const
    const full = signActiveconnectRequest({ ...options, secret: `00${'AB'.repeat(23)}` })
    expect(signActiveconnectRequest({ ...options, secret: 'AB'.repeat(23) })).toEqual(full)
  })
})
