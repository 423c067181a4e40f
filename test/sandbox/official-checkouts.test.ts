import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startSandbox } from 'passport-outofband/sandbox'
import { describe, expect, test } from 'vitest'

// Official clients of other languages, from checkouts in the folder that OFFICIAL_CLIENTS names: npm doesn't bring them.
const folder = process.env['OFFICIAL_CLIENTS']
const run = promisify(execFile)

if (folder === undefined)
  process.stderr.write(
    'NOT RUN: official clients of other languages, because OFFICIAL_CLIENTS names no folder with checkouts\n',
  )

interface Case {
  readonly repository: string
  readonly program: readonly [string, string]
  /** What the client says that it saw. */
  readonly sees: Readonly<Record<string, unknown>>
}

const cases: readonly Case[] = [
  {
    repository: 'authy-python',
    program: ['python3', 'authy.py'],
    sees: {
      created: true,
      sms: true,
      'wrong token': 'Token is invalid',
      token: true,
      'token again': false,
      verification: true,
      'wrong code': 401,
      application: true,
      'unknown user': 'User not found.',
      'wrong key': 401,
      deleted: true,
    },
  },
  {
    repository: 'passbyme2fa-client-ruby',
    program: ['ruby', 'passbyme.rb'],
    sees: {
      sent: ['PENDING'],
      approved: ['APPROVED'],
      'too late': 'ALREADY_COMPLETED',
      cancelled: ['CANCELLED'],
      stranger: 'NOT_FOUND',
      'unknown message': 'NOT_FOUND',
    },
  },
  {
    repository: 'passbyme2fa-client-php',
    program: ['php', 'passbyme.php'],
    sees: {
      user: ['Carl', false],
      taken: 'ALREADY_EXISTS',
      alias: 'new @alias',
      sheet: '%PDF-',
      count: 4,
      renamed: ['', 'Renamed'],
      deleted: true,
      denied: 'DENIED',
      'too late': 'ALREADY_COMPLETED',
    },
  },
  {
    repository: 'sendsecure-python',
    program: ['python3', 'sendsecure.py'],
    sees: {
      'wrong password': 401,
      sent: 'in_progress',
      file: ['a "b" é.txt', 7],
      participants: ['ana.reyes@client.example', 'mira.olsen@northwind.example'],
      longer: true,
      found: 1,
      'early record': 403,
      closed: true,
      'closed again': 400,
      record: true,
      'wrong token': 403,
    },
  },
]

describe('official clients, from checkouts', () => {
  for (const { repository, program, sees } of cases) {
    const path = join(folder ?? '', repository)
    if (folder === undefined || !existsSync(path))
      test.skip(`NOT RUN for want of a checkout of ${repository} in the folder OFFICIAL_CLIENTS`)
    else
      test(`${repository} sees what it would see of the service`, async () => {
        const [command, file] = program
        const sandbox = await startSandbox()
        try {
          const driver = fileURLToPath(new URL(`official/${file}`, import.meta.url))
          const env = { ...process.env, SANDBOX: JSON.stringify(sandbox.describe()), PYTHONDONTWRITEBYTECODE: '1' }
          const { stdout } = await run(command, [driver, path], { env, timeout: 15_000 })
          expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject(sees)
        } finally {
          await sandbox.close()
        }
      })
  }
})
