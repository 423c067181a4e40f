import { expect, test } from 'vitest'
import { PASSWORD, PASSWORD_2, startService, tokenOf } from './service.js'

const secondFactor = {
  amr: ['otp'],
  challenge: async ({ email }: { readonly email: string }) =>
    email.startsWith('alice') ? { methods: ['totp'] } : undefined,
  verify: async (_user: unknown, response: string) => response === '123456',
}

test('a session says how and when it was proved, and nothing raises it afterwards [SC 4]', async () => {
  const app = await startService({
    secondFactor,
    tokens: {
      claims: (_user, { methods, authenticatedAt }) => ({
        amr: [...methods],
        auth_time: authenticatedAt.getTime() / 1000,
      }),
    },
  })
  const { email, token: registered, id } = await app.register('alice')
  const bob = await app.register('bob')
  const facts = async (token: string) => {
    const verified = await app.service.tokens.verify(token)
    if (!verified.ok) throw new Error(verified.code)
    const { methods, authenticatedAt, claims } = verified
    return { methods, at: authenticatedAt.getTime() / 1000, amr: claims['amr'], auth_time: claims['auth_time'] }
  }
  const start = app.clock.now() / 1000
  const same = (methods: readonly string[], at: number) => ({ methods, at, amr: methods, auth_time: at })
  expect(await facts(registered)).toEqual(same(['pwd'], start))
  const withBoth = tokenOf(
    await app.call('POST', '/auth/login/', { body: { email, password: PASSWORD, second_factor: '123456' } }),
  )
  expect(await facts(withBoth)).toEqual(same(['pwd', 'otp', 'mfa'], start))
  expect(await facts(tokenOf(await app.login(bob.email)))).toEqual(same(['pwd'], start))
  expect(await facts((await app.service.tokens.issue(id)) ?? '')).toEqual(same([], start))
  expect(await facts((await app.service.tokens.issue(id, { methods: ['hwk'] })) ?? '')).toEqual(same(['hwk'], start))
  app.clock.set(app.clock.now() + 901_000)
  const refreshed = tokenOf(await app.call('POST', '/auth/refresh/', { token: bob.token }))
  expect(await facts(refreshed)).toEqual(same(['pwd'], start))
  const change = { password: PASSWORD_2, current_password: PASSWORD }
  expect(await app.call('POST', '/user/current/set_password/', { token: refreshed, body: change })).toMatchObject({
    status: 200,
  })
  expect(await facts(refreshed)).toMatchObject({ methods: ['pwd'], at: start + 901, auth_time: start })
})
