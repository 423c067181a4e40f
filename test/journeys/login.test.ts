import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith } from '../support/services.js'
import { appCode, Person, press, startBank, type RunningBank } from './bank.js'

// A browser, two servers and argon2 share the machine with the other test files.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

describeWith('chromium', 'a person in a browser, with the phone in another window', () => {
  let browser: Browser
  let bank: RunningBank

  beforeAll(async () => {
    ;[browser, bank] = await Promise.all([launchBrowser(), startBank()])
  })
  afterAll(async () => {
    await browser.close()
    await bank.close()
  })

  test('signs up, connects the phone, presses Approve and is in; the account says how [SC 4]', async () => {
    const person = await Person.arrive(browser, bank, 'ada')
    const problems: string[] = []
    person.page.on('pageerror', (error) => problems.push(error.message))
    person.page.on('requestfailed', (request) => {
      // What the page before was still loading is given up when the person moves on.
      const reason = request.failure()?.errorText
      if (reason !== 'net::ERR_ABORTED') problems.push(`${request.url()} failed: ${reason}`)
    })
    const sites = new Set<string>()
    person.page.on('request', (request) => sites.add(new URL(request.url()).origin))

    await person.signUp()
    // The password alone opens nothing [SC 1].
    for (const path of ['/account', '/card']) {
      const answer = await person.context.request.get(`${bank.url}${path}`, { maxRedirects: 0 })
      expect(answer.status()).toBe(303)
    }
    const phone = await person.enrolApp()
    await person.askPhone()
    expect(await phone.getByText('Sign in to Larch Bank?').first().isVisible()).toBe(true)
    await press(phone, 'Approve')
    await person.page.waitForURL('**/account')
    const text = await person.page.getByRole('main').innerText()
    expect(text).toContain('Hello, Ada Lovelace')
    expect(text).toContain('Password')
    expect(text).toContain('Push, approved on your phone')

    await person.page.getByRole('link', { name: 'Show card details' }).click()
    expect(await person.page.getByText('4711').isVisible()).toBe(true)
    // The back button shows pages of somebody who is in; the waiting page is not run through again.
    await person.page.goBack()
    await person.page.goBack()
    await person.page.waitForURL('**/account')
    await person.signOut()
    await person.page.goBack()
    await person.page.waitForURL(/sign-in/)
    expect(sites).toEqual(new Set([bank.url]))
    expect(problems.filter((problem) => !problem.includes('/status'))).toEqual([])
    await person.context.close()
  })

  test('reads what happened when the push was denied, and gets in with a code from the app', async () => {
    const person = await Person.arrive(browser, bank, 'deny')
    await person.signUp()
    const phone = await person.enrolApp()
    await person.askPhone()
    await press(phone, 'Deny')
    await person.page.getByRole('heading', { name: 'Denied' }).waitFor()
    // After a denial the phone is left in peace for a while [SC 32].
    await person.page.getByRole('link', { name: 'Try another way' }).click()
    await person.page.getByRole('button', { name: 'Ask my phone' }).click()
    await person.page.getByRole('heading', { name: 'A moment, please' }).waitFor()
    await person.page.getByRole('link', { name: 'Try another way' }).click()

    await person.page.getByLabel('Code').fill('123456')
    await person.page.getByRole('button', { name: 'Use this code' }).click()
    await person.page.getByRole('alert').getByText('That code is not right.').waitFor()
    await person.page.getByLabel('Code').fill(appCode(bank))
    await person.page.getByRole('button', { name: 'Use this code' }).click()
    await person.page.waitForURL('**/account')
    expect(await person.page.getByText('Code from the app').isVisible()).toBe(true)
    await person.context.close()
  })

  test('waits in two tabs, and both move on', async () => {
    const person = await Person.arrive(browser, bank, 'tabs')
    const phone = await person.settleIn()
    await person.signOut()
    await person.password()
    await person.askPhone()
    const second = await person.context.newPage()
    await second.goto(person.page.url())
    await second.getByText('Waiting for your answer').waitFor()
    await press(phone, 'Approve')
    await Promise.all([person.page.waitForURL('**/account'), second.waitForURL('**/account')])
    expect(bank.sandbox.phone.pushes().filter((push) => push.status === 'pending')).toEqual([])
    await person.context.close()
  })

  test('signs out in one tab while another waits, and is out', async () => {
    const person = await Person.arrive(browser, bank, 'out')
    const phone = await person.settleIn()
    await person.page.goto(`${bank.url}/step-up?return_to=%2Fcard`)
    await person.askPhone()
    const second = await person.context.newPage()
    await second.goto(`${bank.url}/account`)
    await person.signOut(second)
    await press(phone, 'Approve')
    await person.page.waitForURL(/sign-in/)
    await person.page.goto(`${bank.url}/account`)
    await person.page.waitForURL(/sign-in/)
    await person.context.close()
  })

  test('is in although the server was killed between the push and the answer', async () => {
    const person = await Person.arrive(browser, bank, 'restart')
    await person.signUp()
    const phone = await person.enrolApp()
    await person.askPhone()
    await bank.killAndRestart()
    await press(phone, 'Approve')
    await person.page.waitForURL('**/account', { timeout: 25_000 })
    await person.context.close()
  })

  test('sees the time run out, and is told so', async () => {
    const hurried = await startBank({ PUSH_TTL_SECONDS: '30' })
    const person = await Person.arrive(browser, hurried, 'late')
    await person.signUp()
    await person.enrolApp()
    await person.askPhone()
    // 30 s is the shortest life of a push: nothing is quicker without touching the clock of a real process.
    await person.page.getByRole('heading', { name: 'Too late' }).waitFor({ timeout: 40_000 })
    await person.context.close()
    await hurried.close()
  })

  test('gets a code by text message, and is told when too many were wrong', async () => {
    const person = await Person.arrive(browser, bank, 'text')
    await person.signUp()
    await person.page.getByLabel('Mobile number').fill('201 555 0123')
    await person.page.getByRole('button', { name: 'Use this number' }).click()
    await person.page.waitForURL('**/sign-in/second-factor')
    await person.page.getByRole('button', { name: 'Text me a code' }).click()
    await person.page.getByText('We have texted you a code.').waitFor()
    const message = await bank.sandbox.phone.waitForMessage({ kind: 'sms' })
    for (let tries = 0; tries < 6; tries += 1) {
      await person.page.getByLabel('Code').fill('999999')
      await person.page.getByRole('button', { name: 'Use this code' }).click()
    }
    await person.page.getByText(/Too many wrong codes/).waitFor()
    // The person hears of it, over the mail that was there before; as of the phone that was connected.
    for (const text of [/Somebody entered many wrong codes/, /A phone was connected/])
      await bank.sandbox.phone.waitForMessage({ kind: 'mail', to: person.email, text })
    for (let sends = 1; sends < 6; sends += 1) await person.page.getByRole('button', { name: 'Text me a code' }).click()
    await person.page.getByText(/We sent several codes already/).waitFor()
    expect(bank.sandbox.phone.messages().filter(({ to, kind }) => to === message.to && kind === 'sms')).toHaveLength(5)
    await person.context.close()

    // Somebody else is not concerned.
    const other = await Person.arrive(browser, bank, 'texted')
    await other.signUp()
    await other.page.getByLabel('Mobile number').fill('201 555 0144')
    await other.page.getByRole('button', { name: 'Use this number' }).click()
    await other.page.getByRole('button', { name: 'Text me a code' }).click()
    await other.page.getByText('We have texted you a code.').waitFor()
    const sent = bank.sandbox.phone.messages().find(({ kind, to }) => kind === 'sms' && to !== message.to)
    await other.page.getByLabel('Code').fill(sent?.code ?? '')
    await other.page.getByRole('button', { name: 'Use this code' }).click()
    await other.page.waitForURL('**/account')
    expect(await other.page.getByText('Code by text message').isVisible()).toBe(true)
    // A text is too weak for the card: the page asks for the app.
    await other.page.getByRole('link', { name: 'Show card details' }).click()
    await other.page.getByRole('heading', { name: 'Is it still you?' }).waitFor()
    await other.context.close()
  })

  test('is told when the provider is down, and is not let in [SC 7]', async () => {
    const person = await Person.arrive(browser, bank, 'down')
    await person.signUp()
    await person.enrolApp()
    bank.sandbox.faults.add({ provider: 'authy', path: '/onetouch/*', kind: 'error', status: 500, times: 1 })
    await person.page.getByRole('button', { name: 'Ask my phone' }).click()
    await person.page.getByRole('heading', { name: 'We cannot reach your phone' }).waitFor()
    await person.page.goto(`${bank.url}/account`)
    await person.page.waitForURL(/sign-in/)
    await person.context.close()
  })

  test('gets in without any script', async () => {
    const withScript = await Person.arrive(browser, bank, 'noscript')
    const phone = await withScript.settleIn()
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await withScript.password(page)
    await withScript.askPhone(page)
    await press(phone, 'Approve')
    await page.getByRole('button', { name: 'I have answered' }).click()
    await page.waitForURL('**/account')
    await context.close()
    await withScript.context.close()
  })
})
