import fc from 'fast-check'
import { amrOf, evaluatePolicy, type Factor, type FactorPolicy } from 'passport-outofband'
import { describe, expect, test } from 'vitest'

const NOW = 1_800_000_000_000
const factor = (name: string, more: Partial<Factor> = {}): Factor => ({ factor: name, amr: [], at: NOW, ...more })
const password = factor('password', { amr: ['pwd'] })
const totp = factor('totp', { amr: ['otp'], proof: 'transfer' })
const push = factor('push', { amr: ['mca'], proof: 'approve' })

describe('evaluatePolicy', () => {
  const cases: readonly (readonly [string, FactorPolicy, readonly Factor[], string])[] = [
    ['a factor that is there', { anyOf: ['totp'] }, [password, totp], 'met'],
    ['one of several', { anyOf: ['push', 'totp'] }, [push], 'met'],
    ['no factor at all', { anyOf: ['totp'] }, [], 'missing'],
    ['only another factor', { anyOf: ['totp'] }, [password], 'missing'],
    ['all of a list', { allOf: ['password', 'push'] }, [password, push], 'met'],
    ['a list with a hole', { allOf: ['password', 'push'] }, [push], 'missing'],
    ['any and all, with the any missing', { anyOf: ['totp'], allOf: ['password'] }, [password], 'missing'],
    ['an age that is just right', { anyOf: ['totp'], maxAgeSeconds: 60 }, [{ ...totp, at: NOW - 60_000 }], 'met'],
    ['a factor that is too old', { anyOf: ['totp'], maxAgeSeconds: 60 }, [{ ...totp, at: NOW - 60_001 }], 'too-old'],
    ['an age that is not a number', { anyOf: ['totp'], maxAgeSeconds: 60 }, [{ ...totp, at: NaN }], 'too-old'],
    ['a proof that is too weak', { anyOf: ['push'], proof: 'compare' }, [push], 'too-weak'],
    ['a factor without a proof', { anyOf: ['badge'], proof: 'approve' }, [factor('badge')], 'too-weak'],
    ['a password, which has no proof', { allOf: ['password', 'totp'], proof: 'transfer' }, [password, totp], 'met'],
    ['a policy that demands nothing', {}, [password, totp], 'missing'],
    ['a policy of an age alone', { maxAgeSeconds: 60 }, [password, totp], 'missing'],
    [
      'two factors, one too old',
      { independent: 2, maxAgeSeconds: 60 },
      [{ ...password, at: NOW - 60_001 }, totp],
      'too-old',
    ],
    ['two factors, one too weak', { independent: 2, proof: 'transfer' }, [password, push], 'too-weak'],
    [
      'two factors, both young and strong',
      { independent: 2, maxAgeSeconds: 60, proof: 'transfer' },
      [password, totp],
      'met',
    ],
    [
      'an age for the factors that are named',
      { anyOf: ['totp'], independent: 2, maxAgeSeconds: 60 },
      [{ ...password, at: NOW - 60_001 }, totp],
      'met',
    ],
  ]
  test.each(cases)('%s [SC 5]', (_name, policy, factors, expected) => {
    const result = evaluatePolicy(policy, factors, NOW)
    expect(result.met ? 'met' : result.reason).toBe(expected)
  })

  const pairs: readonly (readonly [string, string, boolean])[] = [
    ['password', 'totp', true],
    ['password', 'sms', true],
    ['password', 'password', false],
    ['sms', 'sms', false],
    ['sms', 'call', false],
    ['call', 'sms', false],
    ['email', 'magic-link', false],
    ['totp', 'push', false],
    ['sms', 'totp', true],
    ['email', 'sms', true],
    ['password', 'passbyme', true],
  ]
  test.each(pairs)('%s and then %s: two factors? %s [SC 3]', (first, second, isTwo) => {
    expect(evaluatePolicy({ independent: 2 }, [factor(first), factor(second)], NOW).met).toBe(isTwo)
  })

  test('more factors never make a policy fail that was met', () => {
    const anyFactor = fc.record({
      factor: fc.constantFrom('password', 'totp', 'sms', 'push'),
      amr: fc.constant([]),
      at: fc.integer({ min: NOW - 100_000, max: NOW }),
      proof: fc.constantFrom('transfer' as const, 'compare' as const, 'approve' as const),
    })
    const anyPolicy = fc.record(
      {
        anyOf: fc.subarray(['password', 'totp', 'sms', 'push'], { minLength: 1 }),
        allOf: fc.subarray(['password', 'totp'], { minLength: 1 }),
        maxAgeSeconds: fc.integer({ min: 0, max: 100 }),
        proof: fc.constantFrom('transfer' as const, 'approve' as const),
        independent: fc.integer({ min: 1, max: 3 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(anyPolicy, fc.array(anyFactor), anyFactor, (policy, factors, more) => {
        if (evaluatePolicy(policy, factors, NOW).met) {
          expect(evaluatePolicy(policy, [...factors, more], NOW)).toEqual({ met: true })
        }
      }),
    )
  })
})

test('amr values are those of RFC 8176, with mfa for two channels [SC 4]', () => {
  expect(amrOf([password])).toEqual(['pwd'])
  expect(amrOf([password, totp])).toEqual(['pwd', 'otp', 'mfa'])
  expect(amrOf([factor('sms', { amr: ['sms'] }), factor('call', { amr: ['tel'] })])).toEqual(['sms', 'tel'])
})
