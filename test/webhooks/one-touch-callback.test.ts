import { describe, expect, test } from 'vitest'
import { got, mounts, posted, receiving, sentAt } from './one-touch-support.js'

const bare = { status: 403, body: '' }

describe.each(Object.entries(mounts))('under %s', (_name, mount) => {
  test('a POST callback is verified over its raw bytes and becomes an event [SC 40]', async () => {
    const app = await receiving({}, mount)
    expect(await app.send(posted())).toMatchObject({ status: 200, body: '' })
    expect(app.events).toMatchObject([
      {
        id: '996201c0-b7a7-0133-7c06-0e67b818e6fb:approved',
        uuid: '996201c0-b7a7-0133-7c06-0e67b818e6fb',
        status: 'approved',
        authyId: '1234567',
        approvalId: 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
        appId: '582380eb7e1caa03317ec08c',
        deviceUuid: '2102943',
        reported: false,
        message: 'Login requested',
        details: { Amount: '10 €', 'Account Number': '981266321' },
        decidedAt: (sentAt - 1) * 1000,
        createdAt: (sentAt - 20) * 1000,
        expiresAt: (sentAt + 86_400) * 1000,
      },
    ])
  })

  test('a GET callback is verified over its raw query and becomes the same event [SC 41]', async () => {
    const app = await receiving({}, mount)
    expect(await app.send(posted({ nonce: '1530000120' }))).toMatchObject({ status: 200 })
    expect(await app.send(got())).toMatchObject({ status: 200, body: '' })
    expect(app.events).toHaveLength(2)
    expect(app.events[1]).toEqual(app.events[0])
  })

  test('a GET without a signature is refused like a POST without one [SC 41]', async () => {
    const app = await receiving({}, mount)
    const { ['X-Authy-Signature']: _, ...headers } = got().headers
    expect(await app.send({ ...got(), headers })).toMatchObject(bare)
    expect(await app.send({ ...posted(), headers })).toMatchObject(bare)
    expect(app.events).toEqual([])
  })
})
