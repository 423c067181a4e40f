import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith, privatePostgres, privateRedis } from '../support/services.js'
import { waitFor } from '../support/wait-for.js'
import { appCode, Person, press, startBank, type RunningBank } from './bank.js'

// A browser, two servers and argon2 share the machine with the other test files.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

const PASSWORD = 'correct horse battery'

describeWith('chromium', 'people of the bank, who are people of the user service', () => {
  let browser: Browser
  let bank: RunningBank

  beforeAll(async () => {
    ;[browser, bank] = await Promise.all([launchBrowser(), startBank()])
  })
  afterAll(async () => {
    await browser.close()
    await bank.close()
  })

  async function api(method: string, path: string, body: object, token?: string): Promise<Reply> {
    const headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    const answer = await fetch(`${bank.url}/api/v1.0${path}`, { method, headers, body: JSON.stringify(body) })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Reply['body']) }
  }

  test('sign up over the API, and in on the pages, although the server was killed in between', async () => {
    const person = await Person.arrive(browser, bank, 'api')
    const registered = await api('POST', '/user/', { email: person.email, password: PASSWORD, first_name: 'Ada' })
    expect(registered.status).toBe(201)
    await bank.killAndRestart()
    await person.page.goto(`${bank.url}/sign-in`)
    await person.page.getByLabel('E-mail').fill(person.email.toUpperCase())
    await person.page.getByLabel('Password').fill(PASSWORD)
    await person.page.getByRole('button', { name: 'Continue' }).click()
    await person.page.waitForURL('**/enrol')
    const phone = await person.enrolApp()
    await person.askPhone()
    await press(phone, 'Approve')
    await person.page.waitForURL('**/account')
    expect(await person.page.getByRole('heading', { name: 'Hello, Ada' }).isVisible()).toBe(true)
    await person.context.close()
  })

  test('get a token with a code of the phone only, once there is one, and each code works once', async () => {
    const person = await Person.arrive(browser, bank, 'token')
    await person.settleIn()
    const login = { email: person.email, password: PASSWORD }
    expect(await api('POST', '/auth/login/', { ...login, password: 'wrong' })).toMatchObject({ status: 401 })
    const refused = await api('POST', '/auth/login/', login)
    expect(refused).toMatchObject({ status: 403, body: { code: 'SecondFactorRequired', factors: ['code'] } })
    const wrong = await api('POST', '/auth/login/', { ...login, second_factor: '000000' })
    expect(wrong).toMatchObject({ status: 401, body: { code: 'AuthFailure' } })
    const second_factor = appCode(bank)
    const admitted = await api('POST', '/auth/login/', { ...login, second_factor })
    expect(admitted).toMatchObject({ status: 200, body: { email: person.email, roles: [] } })
    expect(await api('POST', '/auth/login/', { ...login, second_factor })).toMatchObject({ status: 401 })

    // A password that is changed over the API ends the session of the pages, and the other way round.
    const token = admitted.body['access_token']
    const changed = await api('POST', '/user/current/set_password/', { password: 'another horse battery' }, token)
    expect(changed.status).toBe(200)
    await person.page.reload()
    await person.page.waitForURL(/sign-in/)
    await person.context.close()
  })

  test('are kept out by too many wrong passwords, on the pages and over the API alike; the words tell nothing', async () => {
    const person = await Person.arrive(browser, bank, 'guessed')
    const { page } = person
    // Registered elsewhere: from an address that signed in before, a stranger's tries would count apart.
    const known = await api('POST', '/user/', { email: person.email, password: PASSWORD })
    expect(known.status).toBe(201)
    for (const email of [person.email, 'nobody@example.com']) {
      const texts = new Set<string>()
      for (let tries = 0; tries < 10; tries += 1) {
        const answer = await page.request.post(`${bank.url}/sign-in`, { form: { email, password: 'wrong' } })
        expect(answer.status()).toBe(401)
        texts.add((await answer.text()).replaceAll(email, ''))
      }
      expect([...texts]).toHaveLength(1)
      expect([...texts][0]).toContain('E-mail or password are not right.')
      await page.goto(`${bank.url}/sign-in`)
      await page.getByLabel('E-mail').fill(email)
      await page.getByLabel('Password').fill(PASSWORD)
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByRole('alert').getByText('Too many tries. Please wait 15 minutes.').waitFor()
      expect(await api('POST', '/auth/login/', { email, password: PASSWORD })).toMatchObject({ status: 429 })
    }
    await person.context.close()
  })

  test('are told when there is an account with that address already, and nothing of it is changed', async () => {
    const person = await Person.arrive(browser, bank, 'twice')
    await person.signUp()
    const { page } = person
    await page.goto(`${bank.url}/sign-up`)
    await page.getByLabel('Your name').fill('Mallory')
    await page.getByLabel('E-mail').fill(person.email.toUpperCase())
    await page.getByLabel('Password').fill('of somebody else')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('alert').getByText('There is an account with this e-mail already.').waitFor()
    expect(await api('POST', '/auth/login/', { email: person.email, password: PASSWORD })).toMatchObject({
      status: 200,
      body: { first_name: 'Ada Lovelace' },
    })
    await page.getByLabel('E-mail').fill('weak@example.com')
    await page.getByLabel('Password').fill('password')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('alert').getByText('The password is too easy to guess.').waitFor()
    await person.context.close()
  })
})

describeWith(['chromium', 'postgres', 'redis'], 'people of a bank on PostgreSQL and Redis', () => {
  test('sign up, are found by the administrator, and set new passwords by mail', async () => {
    const [postgres, redis] = await Promise.all([privatePostgres(), privateRedis()])
    const [browser, bank] = await Promise.all([
      launchBrowser(),
      startBank({ DATABASE_URL: postgres.url, REDIS_URL: redis.url, ADMIN_EMAIL: 'boss@example.com' }),
    ])
    const person = await Person.arrive(browser, bank, 'elephant')
    await person.settleIn()
    const link = await waitFor(() => /boss@example.com, .*(http:\S+\/reset\/\S+)/.exec(bank.printed())?.[1])
    const boss = await Person.arrive(browser, bank, 'boss')
    const { page } = boss
    await page.goto(link)
    await page.getByLabel('New password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Set the password' }).click()
    await boss.typePassword()
    await page.waitForURL('**/enrol')
    const phone = await boss.enrolApp()
    await boss.askPhone()
    await press(phone, 'Approve')
    await page.waitForURL('**/account')
    await page.goto(`${bank.url}/admin?q=LOVELACE`)
    await page.getByRole('link', { name: person.email }).click()
    await page.getByText('Signed up').waitFor()
    await page.getByRole('button', { name: 'Close the account' }).click()
    await page.getByText('Account closed').waitFor()
    await person.page.reload()
    await person.page.waitForURL(/sign-in/)

    await page.goto(`${bank.url}/forgot`)
    await page.getByLabel('E-mail').fill(boss.email)
    await page.getByRole('button', { name: 'Send me a link' }).click()
    const mail = await bank.sandbox.phone.waitForMessage({ kind: 'mail', to: boss.email, text: /was asked/ })
    await page.goto(mail.links.at(-1) ?? '')
    await page.getByLabel('New password').fill('another horse battery')
    await page.getByRole('button', { name: 'Set the password' }).click()
    await page.getByText('Your new password is set.').waitFor()
    await browser.close()
    await bank.close()
    await Promise.all([postgres.dispose(), redis.dispose()])
  })
})

interface Reply {
  readonly status: number
  readonly body: Readonly<Record<string, string>>
}
