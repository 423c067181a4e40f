import fc from 'fast-check'
import { readOneTouchCallback, signOneTouch, type ReadOneTouchCallback } from 'passport-outofband/webhooks'
import { expect, test } from 'vitest'
import { answerBody, apiKey, callbackUrl, queryOf, sentAt, type Json } from './one-touch-support.js'

const nowSeconds = sentAt

function signed(body: string, changes: Partial<ReadOneTouchCallback> = {}): ReadOneTouchCallback {
  const message = { apiKey, nonce: String(sentAt), method: 'POST', url: callbackUrl, rawBody: body }
  return {
    ...message,
    signature: signOneTouch({ ...message, nonce: String(changes.nonce ?? sentAt) }),
    nowSeconds,
    ...changes,
  }
}

const answer = (change: Record<string, Json>): string => JSON.stringify(answerBody(change))
const request = (change: Record<string, Json>): string =>
  answer({ approval_request: { ...(answerBody()['approval_request'] as object), ...change } })

const refusals: readonly (readonly [why: string, reason: string, callback: ReadOneTouchCallback])[] = [
  ['a nonce 301 s old', 'stale', signed(answer({}), { nonce: String(sentAt - 301) })],
  ['a nonce 301 s ahead', 'stale', signed(answer({}), { nonce: String(sentAt + 301) })],
  ['a nonce with a fraction that is too old', 'stale', signed(answer({}), { nonce: `${sentAt - 301}.5` })],
  ['a clock that is no number', 'stale', signed(answer({}), { nowSeconds: Number.NaN })],
  ['a tolerance that is no number', 'stale', signed(answer({}), { toleranceSeconds: Number.NaN })],
  ['another action', 'action', signed(answer({ callback_action: 'approval_request' }))],
  ['no action', 'action', signed(answer({ callback_action: null }))],
  ['a pending status', 'status', signed(answer({ status: 'pending' }))],
  ['a status in capitals', 'status', signed(answer({ status: 'Approved' }))],
  ['a status with a space', 'status', signed(answer({ status: 'approved ' }))],
  ['a status in an array', 'malformed', signed(answer({}).replace('"status":"approved"', '"status":["approved"]'))],
  ['a true status', 'status', signed(answer({ status: true }))],
  ['two statuses', 'status-differs', signed(answer({ transaction: { status: 'denied' } }))],
  ['another application', 'application', signed(answer({}), { appId: '0'.repeat(24) })],
  ['a request that ended', 'expired', signed(request({ expiration_timestamp: sentAt - 1 }))],
  ['an end that is no number', 'malformed', signed(request({ expiration_timestamp: 'never' }))],
  ['no uuid', 'malformed', signed(answer({ uuid: null }))],
  ['a uuid with a path', 'malformed', signed(answer({ uuid: '../users/1' }))],
  [
    'an Authy id that is a fraction',
    'malformed',
    signed(answer({}).replace('"authy_id":1234567', '"authy_id":1234567.0')),
  ],
  ['a negative Authy id', 'malformed', signed(answer({ authy_id: -1 }))],
  ['an Authy id in an empty array', 'malformed', signed(answer({ authy_id: [] }))],
  ['a status in an empty array', 'status', signed(answer({}).replace('"status":"approved"', '"status":[]'))],
  ['details in an array', 'malformed', signed(answer({ transaction: { details: ['x'] } }))],
  ['a request in an array', 'malformed', signed(answer({ approval_request: ['x'] }))],
  ['an Authy id in an array', 'malformed', signed(answer({ authy_id: [1234567] }))],
  ['a request that is text', 'malformed', signed(answer({ approval_request: '{"transaction"=>{}}' }))],
  [
    'fields folded into a name',
    'malformed',
    signed(answer({}).replace('"approval_request":{', '"approval_request[x]":1,"approval_request":{')),
  ],
  ['another key', 'signature', signed(answer({}), { apiKey: 'other' })],
  ['a body with a key twice', 'duplicate-key', { ...signed('{}'), rawBody: '{"a":1,"a":2}' }],
  ['no signature', 'signature-header', { ...signed('{}'), signature: undefined }],
]

test.each(refusals)('refuses %s [SC 31, 41]', (_why, reason, callback) => {
  expect(readOneTouchCallback(callback)).toEqual({ ok: false, reason })
})

test.each([
  ['as it is', signed(answer({}))],
  ['with a nonce 300 s old', signed(answer({}), { nonce: String(sentAt - 300) })],
  ['with a nonce 300 s ahead', signed(answer({}), { nonce: String(sentAt + 300) })],
  ['with a nonce that is no time', signed(answer({}), { nonce: 'b2f0c1' })],
  [
    'a day later without the check of the clock',
    signed(answer({}), { nowSeconds: sentAt + 80_000, toleranceSeconds: false }),
  ],
  ['with the application id of ours', signed(answer({}), { appId: '582380EB7E1CAA03317EC08C' })],
  ['with fields that nobody knew', signed(answer({ 'new field': { a: [1, { b: 2 }] } }))],
  ['with an empty array for a hash', signed(answer({ transaction: { details: [], hidden_details: [] } }))],
  ['with empty hashes and arrays for nothing', signed(answer({ device_uuid: [], transaction: { reason: {} } }))],
  ['of 2016, without a request', signed(answer({ approval_request: null }))],
  ['without a request, as an empty array', signed(answer({ approval_request: [] }))],
  ['of a request without end', signed(request({ expiration_timestamp: 0 }))],
])('reads a callback %s', (_how, callback) => {
  expect(readOneTouchCallback(callback)).toMatchObject({ ok: true, event: { status: 'approved', authyId: '1234567' } })
})

test('ids keep their digits, however many', () => {
  const body = answer({}).replace('"authy_id":1234567', '"authy_id":90071992547409931')
  expect(readOneTouchCallback(signed(body))).toMatchObject({ event: { authyId: '90071992547409931' } })
})

test('a person’s report of a suspicious request is read', () => {
  const callback = signed(answer({ status: 'denied', transaction: { flagged: true } }))
  expect(readOneTouchCallback(callback)).toMatchObject({ event: { status: 'denied', reported: true } })
})

test('details hold what was sent and nothing inherited', () => {
  const body = answer({}).replace('"details":{', '"details":{"__proto__":"x","constructor":"y",')
  const reading = readOneTouchCallback(signed(body))
  const details = reading.ok ? reading.event.details : {}
  expect(Object.getPrototypeOf(details)).toBeNull()
  expect(Object.keys(details).sort()).toEqual(['Account Number', 'Amount', '__proto__', 'constructor'])
})

test('a GET is read as the POST of the same answer [SC 41]', () => {
  const message = { apiKey, nonce: String(sentAt), method: 'GET', url: callbackUrl, rawQuery: queryOf(answerBody()) }
  expect(readOneTouchCallback({ ...message, signature: signOneTouch(message), nowSeconds })).toEqual(
    readOneTouchCallback(signed(answer({}))),
  )
})

test.each([
  ['a name twice', 'status=approved&status=approved'],
  ['a name twice, once encoded', 'status=approved&%73tatus=denied'],
  ['a broken escape', 'status=%zz'],
  ['bytes that are no UTF-8', 'status=%ff'],
])('refuses a query with %s', (_what, rawQuery) => {
  const message = { apiKey, nonce: String(sentAt), method: 'GET', url: callbackUrl, rawQuery }
  expect(readOneTouchCallback({ ...message, signature: signOneTouch(message), nowSeconds })).toEqual({
    ok: false,
    reason: 'malformed',
  })
})

test('never throws on a signed body of any shape [SC 42]', () => {
  const names = fc.constantFrom(
    'status',
    'uuid',
    'authy_id',
    'approval_request',
    'transaction',
    'details',
    'hidden_details',
    'callback_action',
    'x[y]',
  )
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json>(
        'approved',
        'approval_request_status',
        null,
        1,
        true,
        '',
        '996201c0-b7a7-0133-7c06-0e67b818e6fb',
      ),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(names, tie('value'), { maxKeys: 5 }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(names, value, { maxKeys: 6 }), (body) => {
      const json = JSON.stringify(answerBody(body))
      expect(typeof readOneTouchCallback(signed(json)).ok).toBe('boolean')
    }),
    { numRuns: 500 },
  )
})
