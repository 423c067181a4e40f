import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ChannelRequest } from 'passport-outofband'
import { AuthyClient, oneTouchChannel, type OneTouchChannelOptions } from 'passport-outofband/authy'
import { startRecorder, type Recorder } from '../../support/recorder.js'

const now = Date.UTC(2027, 0, 15)
const uuid = '550e8400-e29b-41d4-a716-446655440000'
const recipient = { subject: 'ana', reference: '1635' }
const handle = { reference: uuid, recipients: [recipient] }
const question: ChannelRequest = {
  approvalId: 'our-approval-id',
  message: 'Sign in to the bank',
  details: { Place: 'Lisbon' },
  recipients: [recipient],
  expiresAt: now + 120_000,
}

let recorder: Recorder
let client: AuthyClient
beforeEach(async () => {
  recorder = await startRecorder()
  client = new AuthyClient({ apiKey: 'test-api-key', baseUrl: recorder.url })
})
afterEach(async () => {
  client.close()
  await recorder.close()
})

const open = (options: OneTouchChannelOptions = {}) =>
  oneTouchChannel(client, { runtime: { now: () => now }, ...options })
const body = (): unknown => JSON.parse(recorder.requests.at(-1)!.body)

function answer(change: object): void {
  const request = { uuid, status: 'pending', _authy_id: 1635, created_at: '2027-01-15T00:00:00Z', processed_at: null }
  recorder.reply(200, { approval_request: { ...request, ...change }, success: true })
}

test('the channel says what it is', () => {
  expect(open()).toMatchObject({
    name: 'authy',
    factor: 'push',
    amr: ['mca'],
    proof: 'approve',
    maxRecipients: 1,
    pollIntervalMs: 2000,
    maxTtlSeconds: 600,
  })
  expect(open()).not.toHaveProperty('cancel')
  expect(open({ name: 'bank', pollIntervalMs: 5000, maxTtlSeconds: 60 })).toMatchObject({
    name: 'bank',
    pollIntervalMs: 5000,
    maxTtlSeconds: 60,
  })
})

describe('a question', () => {
  test('carries our id hidden, and lives as long as the approval', async () => {
    recorder.reply(200, { approval_request: { uuid }, success: true })
    const logos = [{ res: 'default', url: 'https://example.com/logo.png' }] as const
    expect(await open({ logos }).start(question, {})).toEqual({ reference: uuid })
    expect(recorder.requests[0]).toMatchObject({ method: 'POST', path: '/onetouch/json/users/1635/approval_requests' })
    expect(body()).toEqual({
      message: 'Sign in to the bank',
      details: { Place: 'Lisbon' },
      hidden_details: { approval_id: 'our-approval-id' },
      logos,
      seconds_to_expire: 120,
    })
  })

  test('without details sends none', async () => {
    recorder.reply(200, { approval_request: { uuid }, success: true })
    await open().start({ ...question, details: {} }, {})
    expect(body()).not.toHaveProperty('details')
  })

  test('never lives for ever: what is over is not asked, and a part of a second is a second', async () => {
    for (const expiresAt of [now, now - 1, Number.NaN])
      await expect(open().start({ ...question, expiresAt }, {})).rejects.toEqual(
        expect.objectContaining({ code: 'ERR_INPUT' }),
      )
    expect(recorder.requests).toEqual([])
    recorder.reply(200, { approval_request: { uuid }, success: true })
    await open().start({ ...question, expiresAt: now + 1 }, {})
    expect(body()).toMatchObject({ seconds_to_expire: 1 })
  })

  test.each([
    ['nobody', { recipients: [] }],
    ['two people', { recipients: [recipient, { subject: 'bo', reference: '1636' }] }],
    ['somebody whose id is none', { recipients: [{ subject: 'ana', reference: '../1635' }] }],
    ['with a message that is too long', { message: 'x'.repeat(201) }],
    ['with a detail that is too long', { details: { Place: 'x'.repeat(201) } }],
  ])('to or %s is not sent', async (_what, change) => {
    await expect(open().start({ ...question, ...change }, {})).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_INPUT' }),
    )
    expect(recorder.requests).toEqual([])
  })

  test('is sent once, also if the answer is lost [SC 85]', async () => {
    recorder.reply(502, '')
    await expect(open().start(question, {})).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_PROVIDER_UNREACHABLE' }),
    )
    expect(recorder.requests).toHaveLength(1)
  })

  test('whose handle is no UUID was not taken', async () => {
    for (const wrong of ['..', '', 5, [uuid], undefined]) {
      recorder.reply(200, { approval_request: { uuid: wrong }, success: true })
      await expect(open().start(question, {})).rejects.toEqual(
        expect.objectContaining({ code: 'ERR_PROVIDER_PROTOCOL' }),
      )
    }
  })
})

describe('an answer', () => {
  test.each([
    ['pending', null, undefined],
    ['approved', '2027-01-15T00:00:30Z', now + 30_000],
    ['denied', '2027-01-15T00:00:30Z', now + 30_000],
    ['expired', '2027-01-15T00:02:00Z', undefined],
    ['approved', null, undefined],
  ])('%s at %j counts', async (status, processed_at, decidedAt) => {
    answer({ status, processed_at })
    const decision = decidedAt === undefined ? { reference: '1635', status } : { reference: '1635', status, decidedAt }
    expect(await open().check(handle, {})).toEqual({ decisions: [decision] })
  })

  test.each([
    ['about another question', { uuid: '650e8400-e29b-41d4-a716-446655440000', status: 'approved' }],
    ['of another user', { _authy_id: 1636, status: 'approved' }],
    ['of a user whose number begins like ours', { _authy_id: '16350', status: 'approved' }],
    ['in a word that nobody documented', { status: 'granted' }],
    ['in capitals', { status: 'APPROVED' }],
    ['in a list', { status: ['approved'] }],
    ['that is true', { status: true }],
  ])('%s is an error and no approval [SC 30, 31]', async (_what, change) => {
    answer(change)
    await expect(open().check(handle, {})).rejects.toEqual(expect.objectContaining({ code: 'ERR_PROVIDER_PROTOCOL' }))
  })

  test('is not waited for when the caller gives up', async () => {
    const reason = new Error('gone')
    await expect(open().check(handle, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

test.each([
  ['a misspelt option', { poll: 5 }, 'poll'],
  ['a logo list without a default', { logos: [{ res: 'low', url: 'https://example.com/a.png' }] }, 'logos'],
  ['a life of a week', { maxTtlSeconds: 604_800 }, 'maxTtlSeconds'],
  ['a name with blanks', { name: 'My Bank' }, 'name'],
])('%s stops the program', (_what, options, option) => {
  expect(() => oneTouchChannel(client, options as OneTouchChannelOptions)).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION', option }),
  )
})

test('something that is no client stops the program', () => {
  for (const wrong of [undefined, null, {}, { oneTouch: {} }, 'client'])
    expect(() => oneTouchChannel(wrong as never)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
})
