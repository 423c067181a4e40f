import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith } from '../support/services.js'
import { waitFor } from '../support/wait-for.js'
import { Person, press, startBank, type RunningBank } from './bank.js'

// A browser, two servers and argon2 share the machine with the other test files.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const PASSWORD = 'correct horse battery'

describeWith('chromium', 'the administrator of the bank', () => {
  let browser: Browser
  let bank: RunningBank
  let admin: Person
  let phone: Page

  // The first administrator comes in as the bank says when it starts.
  beforeAll(async () => {
    ;[browser, bank] = await Promise.all([launchBrowser(), startBank()])
    const link = await waitFor(() => /The administrator: .*(http:\S+\/reset\/\S+)/.exec(bank.printed())?.[1])
    admin = await Person.arrive(browser, bank, 'admin', 'larch.example')
    await admin.page.goto(link)
    await admin.page.getByLabel('New password').fill(PASSWORD)
    await admin.page.getByRole('button', { name: 'Set the password' }).click()
    await admin.typePassword()
    await admin.page.waitForURL('**/enrol')
    phone = await admin.enrolApp()
    await admin.askPhone()
    await press(phone, 'Approve')
    await admin.page.waitForURL('**/account')
  })
  afterAll(async () => {
    await browser.close()
    await bank.close()
  })

  async function open(email: string, page = admin.page): Promise<void> {
    await page.goto(`${bank.url}/account`)
    await page.getByRole('link', { name: 'People', exact: true }).click()
    await page.getByRole('searchbox').fill(email.toUpperCase())
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('link', { name: email }).click()
    await page.getByRole('heading', { name: email }).waitFor()
  }

  async function setRoles(roles: string, page = admin.page): Promise<void> {
    await page.getByLabel('Roles').fill(roles)
    await page.getByRole('button', { name: 'Save the roles' }).click()
  }

  test('closes an account: the person is out at once, on the pages and with every token; and opens it again [SC 66]', async () => {
    const person = await Person.arrive(browser, bank, 'closed')
    await person.settleIn()
    await open(person.email)
    await admin.page.getByRole('button', { name: 'Close the account' }).click()
    await admin.page.getByText('Saved.').waitFor()
    await person.page.getByRole('link', { name: 'Card', exact: true }).click()
    await person.page.waitForURL(/sign-in/)
    await person.typePassword(person.page, 'not it')
    await person.page.getByRole('alert').getByText('E-mail or password are not right.').waitFor()
    await person.typePassword()
    await person.page.getByRole('alert').getByText('This account is closed.').waitFor()
    const login = { data: { email: person.email, password: PASSWORD } }
    expect((await admin.page.request.post(`${bank.url}/api/v1.0/auth/login/`, login)).status()).toBe(403)

    await admin.page.getByRole('button', { name: 'Open the account again' }).click()
    await admin.page.getByText('Saved.').waitFor()
    const trail = await admin.page.getByRole('region').or(admin.page.locator('section')).last().innerText()
    expect(trail).toMatch(/Account opened again\s+by person \d+[\s\S]*Account closed\s+by person \d+[\s\S]*Signed up/)
    await person.password()
    await person.context.close()
  })

  test('makes another administrator, who is one at once; and the last one cannot leave [SC 68]', async () => {
    const person = await Person.arrive(browser, bank, 'promoted')
    await person.settleIn()
    await person.page.goto(`${bank.url}/admin`)
    await person.page.getByRole('heading', { name: 'Not for you' }).waitFor()
    await open(person.email)
    await setRoles('no!good')
    await admin.page.getByRole('alert').waitFor()
    await setRoles('editor, admin')
    await admin.page.getByText('Saved.').waitFor()
    expect(await admin.page.getByLabel('Roles').inputValue()).toBe('editor admin')

    await open(admin.email, person.page)
    await setRoles('', person.page)
    await person.page.getByText('Saved.').waitFor()
    await admin.page.reload()
    await admin.page.getByRole('heading', { name: 'Not for you' }).waitFor()
    await open(person.email, person.page)
    await person.page.getByText('Another administrator can close your account.').waitFor()
    await setRoles('editor', person.page)
    await person.page.getByRole('alert').getByText('The last active administrator cannot be removed').waitFor()
    await open(admin.email, person.page)
    await setRoles('admin', person.page)
    await person.page.getByText('Saved.').waitFor()
    await person.context.close()
  })

  test('shows the phone again where the sign-in was too weak; and no other site presses a button [SC 75]', async () => {
    const person = await Person.arrive(browser, bank, 'weak')
    await person.signUp()
    await person.page.getByLabel('Mobile number').fill('201 555 0188')
    await person.page.getByRole('button', { name: 'Use this number' }).click()
    await person.page.getByRole('button', { name: 'Text me a code' }).click()
    const { code } = await bank.sandbox.phone.waitForMessage({ kind: 'sms', to: '+12015550188' })
    await person.page.getByLabel('Code').fill(code ?? '')
    await person.page.getByRole('button', { name: 'Use this code' }).click()
    await person.page.waitForURL('**/account')
    await open(person.email)
    await setRoles('admin')
    await admin.page.getByText('Saved.').waitFor()
    const url = admin.page.url().replace('?saved', '')
    await person.page.goto(`${bank.url}/admin`)
    await person.page.getByRole('heading', { name: 'Is it still you?' }).waitFor()
    const posted = await person.context.request.post(`${url}/roles`, { form: { roles: 'stolen' }, maxRedirects: 0 })
    expect(posted.status()).toBe(401)

    for (const [path, form] of [
      ['roles', { roles: 'stolen' }],
      ['active', { active: 'no' }],
    ] as const) {
      const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
      const answer = await admin.context.request.post(`${url}/${path}`, { form, headers, maxRedirects: 0 })
      expect(answer.status()).toBe(403)
    }
    // And a form that says nothing, or too much, changes nothing.
    const empty = [
      ['roles', {}],
      ['roles', { roles: 'x'.repeat(600) }],
      ['active', {}],
      ['active', { active: 'maybe' }],
    ] as const
    for (const [path, form] of empty) {
      const headers = { accept: 'text/html' }
      expect((await admin.context.request.post(`${url}/${path}`, { form, headers })).status()).toBe(400)
    }
    await admin.page.reload()
    expect(await admin.page.getByLabel('Roles').inputValue()).toBe('admin')
    expect(await admin.page.getByRole('button', { name: 'Close the account' }).isVisible()).toBe(true)
    await setRoles('')
    await person.context.close()
  })

  test('turns the pages of a long list, and comes back with the back button', async () => {
    for (let count = 0; count < 25; count += 1) {
      const data = { email: `crowd${String(count).padStart(2, '0')}@example.com`, first_name: '<b>Crowd</b>' }
      expect((await admin.page.request.post(`${bank.url}/api/v1.0/user/`, { data })).status()).toBe(201)
    }
    const { page } = admin
    await page.goto(`${bank.url}/admin?q=crowd`)
    expect(await page.getByRole('row').count()).toBe(21)
    expect(await page.getByText('<b>Crowd</b>').count()).toBe(20)
    await page.getByRole('link', { name: 'Next page' }).click()
    await page.getByRole('link', { name: 'crowd24@example.com' }).click()
    await page.getByRole('heading', { name: 'crowd24@example.com' }).waitFor()
    await page.goBack()
    expect(await page.getByRole('row').count()).toBe(6)
    expect(await page.getByRole('link', { name: 'Next page' }).count()).toBe(0)
    await page.getByRole('link', { name: 'First page' }).click()
    await page.getByRole('link', { name: 'crowd00@example.com' }).waitFor()
    for (const path of ['/admin/people/0', '/admin/people/abc', '/admin/people/99999999999', '/admin/people/4711'])
      expect((await page.goto(bank.url + path))?.status()).toBe(404)
    expect((await page.goto(`${bank.url}/admin?q=${encodeURIComponent("%' or 1=1 --")}&after=x`))?.status()).toBe(200)
    await page.getByText('Nobody is found.').waitFor()
    await page.goto(`${bank.url}/admin?q[]=1&q[]=2&after=-1`)
    await page.getByRole('link', { name: admin.email }).waitFor()
  })

  test('is made once, however often the bank starts', async () => {
    await bank.killAndRestart()
    await waitFor(() => /with the password that was set before/.test(bank.printed()))
    expect(bank.printed().match(/\/reset\//g)).toHaveLength(1)
    await admin.page.goto(`${bank.url}/admin?q=larch.example`)
    expect(await admin.page.getByRole('row').count()).toBe(2)
  })
})
