import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith } from '../support/services.js'
import { Person, press, startBank, type RunningBank } from './bank.js'

// A browser, two servers and argon2 share the machine with the other test files.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

const OLD = 'correct horse battery'
const NEW = 'another horse battery'

describeWith('chromium', 'a person who has forgotten the password, or changes what the bank knows', () => {
  let browser: Browser
  let bank: RunningBank

  beforeAll(async () => {
    ;[browser, bank] = await Promise.all([launchBrowser(), startBank()])
  })
  afterAll(async () => {
    await browser.close()
    await bank.close()
  })

  async function forget(page: Page, email: string, from = bank): Promise<string> {
    await page.goto(`${from.url}/sign-in`)
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByLabel('E-mail').fill(email)
    await page.getByRole('button', { name: 'Send me a link' }).click()
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
    return (await page.getByRole('main').innerText()).replaceAll(email, '…')
  }

  const linkFor = async (email: string, from = bank): Promise<string> => {
    const mail = await from.sandbox.phone.waitForMessage({ kind: 'mail', to: email, text: /new password was asked/ })
    return mail.links.at(-1) ?? ''
  }

  async function setPassword(page: Page, password: string): Promise<void> {
    await page.getByLabel('New password').fill(password)
    await page.getByRole('button', { name: 'Set the password' }).click()
  }

  test('sets a new one by mail, once; is out everywhere, and still needs the phone [SC 72]', async () => {
    const person = await Person.arrive(browser, bank, 'forgetful')
    const phone = await person.settleIn()
    const context = await browser.newContext()
    const page = await context.newPage()
    const words = await forget(page, person.email)
    const link = await linkFor(person.email)
    expect(link).toMatch(new RegExp(`^${bank.url}/reset/`))
    await bank.killAndRestart()

    const [answer] = await Promise.all([page.waitForResponse(`${bank.url}/reset`), page.goto(link)])
    expect(page.url()).toBe(`${bank.url}/reset`)
    expect(answer.headers()['referrer-policy']).toBe('no-referrer')
    expect(await page.evaluate(() => document.referrer + document.documentElement.outerHTML)).not.toContain(
      link.slice(link.lastIndexOf('/') + 1),
    )
    await page.getByLabel('New password').evaluate((input) => {
      input.removeAttribute('minlength')
    })
    await setPassword(page, 'short')
    await page.getByRole('alert').getByText('at least 8 characters').waitFor()
    await setPassword(page, NEW)
    await page.getByText('Your new password is set.').waitFor()

    // Signed in with the old password, in another browser: that is over.
    await person.page.reload()
    await person.page.waitForURL(/sign-in/)
    const second = await context.newPage()
    await second.goto(link)
    await setPassword(second, 'a third horse battery')
    await second.getByRole('heading', { name: 'This link does not work' }).waitFor()

    await page.getByLabel('E-mail').fill(person.email)
    await page.getByLabel('Password').fill(OLD)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('alert').getByText('E-mail or password are not right.').waitFor()
    await page.getByLabel('Password').fill(NEW)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL('**/sign-in/second-factor')
    await page.goto(`${bank.url}/account`)
    await page.waitForURL(/sign-in/)
    await page.goto(`${bank.url}/sign-in/second-factor`)
    await person.askPhone(page)
    await press(phone, 'Approve')
    await page.waitForURL('**/account')

    // Somebody whom the bank doesn't know reads the same words, and nobody gets a mail.
    const before = bank.sandbox.phone.messages().length
    expect(await forget(person.page, 'nobody@example.com')).toBe(words)
    expect(bank.sandbox.phone.messages()).toHaveLength(before)
    await context.close()
    await person.context.close()
  })

  test('does it without any script, also with the login that began before', async () => {
    const person = await Person.arrive(browser, bank, 'plain')
    await person.signUp()
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await forget(page, person.email)
    await page.goto(await linkFor(person.email))
    await setPassword(page, NEW)
    await page.getByText('Your new password is set.').waitFor()
    // The sign-in that waited for its phone was one with the old password.
    await person.page.goto(`${bank.url}/enrol`)
    await person.page.waitForURL(/sign-in/)
    await page.goto(`${bank.url}/reset`)
    await page.getByRole('heading', { name: 'This link does not work' }).waitFor()
    await context.close()
    await person.context.close()
  })

  test('changes the password: signed in here, signed out in the other browser', async () => {
    const person = await Person.arrive(browser, bank, 'changing')
    const phone = await person.settleIn()
    const context = await browser.newContext()
    const page = await context.newPage()
    await person.password(page)
    await person.askPhone(page)
    await press(phone, 'Approve')
    await page.waitForURL('**/account')

    await page.getByRole('link', { name: 'Change password' }).click()
    await page.getByLabel('Current password').fill('not it')
    await page.getByLabel('New password').fill(NEW)
    await page.getByRole('button', { name: 'Change the password' }).click()
    await page.getByRole('alert').getByText('That is not your current password.').waitFor()
    await page.getByLabel('Current password').fill(OLD)
    await page.getByLabel('New password').fill(NEW)
    await page.getByRole('button', { name: 'Change the password' }).click()
    await page.getByText('Your password is changed.').waitFor()
    await page.getByRole('link', { name: 'Show card details' }).click()
    expect(await page.getByText('4711').isVisible()).toBe(true)
    await person.page.reload()
    await person.page.waitForURL(/sign-in/)
    const mail = await bank.sandbox.phone.waitForMessage({ kind: 'mail', to: person.email, text: /was changed/ })
    expect(mail.links).toEqual([])
    await context.close()
    await person.context.close()
  })

  test('confirms a number with the code that was texted to it', async () => {
    const person = await Person.arrive(browser, bank, 'number')
    await person.settleIn()
    const { page } = person
    await page.getByRole('link', { name: 'Change number' }).click()
    await page.getByLabel('Mobile number').fill('none')
    await page.getByRole('button', { name: 'Text me a code' }).click()
    await page.getByRole('alert').getByText('That number does not look right.').waitFor()
    await page.getByLabel('Mobile number').fill('+1 (201) 555-0177')
    await page.getByRole('button', { name: 'Text me a code' }).click()
    const { code } = await bank.sandbox.phone.waitForMessage({ kind: 'sms', to: '+12015550177' })
    await page.getByRole('button', { name: 'Text me another code' }).click()
    await page.getByRole('alert').getByText('Too many at once.').waitFor()
    await page.getByLabel('Code').fill(code === '000000' ? '111111' : '000000')
    await page.getByRole('button', { name: 'Confirm the number' }).click()
    await page.getByRole('alert').getByText('That code is not right').waitFor()
    await page.getByLabel('Code').fill(code ?? '')
    await page.getByRole('button', { name: 'Confirm the number' }).click()
    await page.getByText('Your number is confirmed.').waitFor()
    expect(await page.getByText('News of the bank go to +1 (201) 555-0177.').isVisible()).toBe(true)
    await person.context.close()
  })

  test('signs up where the bank tells nobody who has an account: the mail says the rest [SC 73]', async () => {
    const quiet = await startBank({ SIGN_UP: 'quiet' })
    const { phone } = quiet.sandbox
    const page = await (await browser.newContext()).newPage()
    const signUp = async (email: string): Promise<string> => {
      await page.goto(`${quiet.url}/sign-up`)
      await page.getByLabel('Your name').fill('Ada')
      await page.getByLabel('E-mail').fill(email)
      await page.getByLabel('Password').fill(OLD)
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
      return page.getByRole('main').innerText()
    }
    const first = await signUp('ada@example.com')
    const mail = await phone.waitForMessage({ kind: 'mail', text: /finish your registration/ })
    expect(await signUp('ada@example.com')).toBe(first)
    const link = (await phone.waitForMessage({ kind: 'mail', text: /you have an account already/ })).links.at(-1) ?? ''
    expect(mail.links).not.toContain(link)
    await page.goto(link)
    await setPassword(page, NEW)
    await page.getByText('Your new password is set.').waitFor()
    await page.getByLabel('E-mail').fill('ada@example.com')
    await page.getByLabel('Password').fill(NEW)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL('**/enrol')
    await page.context().close()
    await quiet.close()
  })
})
