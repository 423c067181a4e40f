import { readFileSync } from 'node:fs'
import type { UserServiceOptions } from 'passport-outofband/users'
import { describe, expect, test } from 'vitest'
import { fixtures } from '../scenarios/fixtures.js'
import { scenarioFile, type Step } from '../scenarios/format.js'
import { runScenario } from '../scenarios/runner.js'
import { memoryStores } from '../scenarios/stores.js'

const file = scenarioFile.parse(
  JSON.parse(readFileSync(new URL('../vectors/affo-scenarios.json', import.meta.url), 'utf8')),
)
const hard = file.hardened_config

// Each option that brings a form of the original back, and the recorded scenarios whose answers it brings back.
const forms: ReadonlyArray<readonly [what: string, extra: Partial<UserServiceOptions>, scenarios: readonly string[]]> =
  [
    [
      'the redirect to the path with a slash',
      { wire: { redirectMissingSlash: true } },
      ['meta.missing-trailing-slash'],
    ],
    [
      'the texts of the token library',
      { wire: { libraryTexts: true } },
      [
        'auth.token.malformed',
        'auth.token.wrong-key-or-algorithm',
        'auth.refresh.header-problems',
        'password.confirm.invalid-token',
      ],
    ],
    ['the answer for unknown addresses', { wire: { tellUnknownAddress: true } }, ['password.reset.unknown-email']],
    ['refreshing without rotation', { tokens: { rotate: false } }, ['auth.refresh.replay-of-old-token']],
    [
      'codes of four digits',
      {
        verification: {
          codeDigits: 4,
          resendSeconds: hard.phone_resend_interval,
          lifetimeSeconds: hard.phone_code_lifetime,
          testNumbers: file.config.verification_recipient_exceptions,
          testCode: file.config.verification_recipient_exceptions_token,
        },
      },
      [
        'verification.phone.flow',
        'verification.phone.resend',
        'verification.phone.lifetime',
        'verification.phone.gateway-says-invalid',
      ],
    ],
  ]

describe.each(forms)('the option for %s', (_what, extra, names) => {
  test.each(names)('answers %s as it was recorded', async (name) => {
    const scenario = file.scenarios.find((candidate) => candidate.name === name)!
    expect(await runScenario(file, scenario, fixtures(file, memoryStores, extra), 'recorded')).toBeUndefined()
  })

  test.each(names)('is needed for that: %s', async (name) => {
    const scenario = file.scenarios.find((candidate) => candidate.name === name)!
    expect(await runScenario(file, scenario, fixtures(file, memoryStores), 'recorded')).toBeDefined()
  })
})

test('no option brings a hole back: what was recorded of the worst is never answered', async () => {
  const open: Partial<UserServiceOptions> = {
    wire: { libraryTexts: true, tellUnknownAddress: true, redirectMissingSlash: true },
    tokens: { rotate: false, freshSeconds: 3600 },
  }
  const holes = [
    'user.register.mass-assignment-roles',
    'user.patch.mass-assignment-roles',
    'user.patch.service-edits-an-admin',
    'user.set_password.service-on-admin',
    'password.confirm.replay',
    'password.reset.foreign-url-template',
    'verification.phone.word-None',
    'user.patch.email-of-another-user',
  ]
  for (const name of holes) {
    const scenario = file.scenarios.find((candidate) => candidate.name === name)!
    expect(await runScenario(file, scenario, fixtures(file, memoryStores, open), 'recorded'), name).toBeDefined()
  }
})

test('the runner tells a wrong answer from a right one', async () => {
  const scenario = file.scenarios.find(({ name }) => name === 'auth.login.ok')!
  const [first, ...rest] = scenario.steps
  const changed = { ...first, response: { status: 200, body: {} } } as Step
  expect(await runScenario(file, { ...scenario, steps: [changed, ...rest] }, fixtures(file, memoryStores))).toContain(
    'is not expected',
  )
})
