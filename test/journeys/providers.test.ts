import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith } from '../support/services.js'
import { Person, startBank, type RunningBank } from './bank.js'

// A browser, two servers and argon2 share the machine with the other test files.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

describeWith('chromium', 'a person who uses another provider than Authy', () => {
  let browser: Browser
  let bank: RunningBank

  beforeAll(async () => {
    ;[browser, bank] = await Promise.all([launchBrowser(), startBank({ PRESENCE_SECONDS: '1' })])
  })
  afterAll(async () => {
    await browser.close()
    await bank.close()
  })

  test('connects PassBy[ME], compares the code, approves, and is in', async () => {
    const person = await enrolled('passbyme-yes', 'PassBy[ME]')
    await person.page.getByRole('button', { name: 'Ask PassBy[ME]' }).click()
    const shown = await person.page.getByLabel('Code to compare').innerText()
    const push = await bank.sandbox.phone.waitForPush({ provider: 'passbyme' })
    expect(push.compareCode).toBe(shown)
    await bank.sandbox.phone.approve(push)
    await person.page.waitForURL('**/account')
    expect(await person.page.getByText('PassBy[ME], approved on your phone').isVisible()).toBe(true)
    await person.context.close()
  })

  test('denies on PassBy[ME], and stays out', async () => {
    const person = await enrolled('passbyme-no', 'PassBy[ME]')
    await person.page.getByRole('button', { name: 'Ask PassBy[ME]' }).click()
    await bank.sandbox.phone.deny((await bank.sandbox.phone.waitForPush({ provider: 'passbyme' })).id)
    await person.page.getByRole('heading', { name: 'Denied' }).waitFor()
    await isOut(person)
  })

  test('denies on Activeconnect, and stays out', async () => {
    const person = await enrolled('activeconnect-no', 'Activeconnect')
    await person.page.getByRole('button', { name: 'Ask Activeconnect' }).click()
    await bank.sandbox.phone.deny((await bank.sandbox.phone.waitForPush({ provider: 'activeconnect' })).id)
    await person.page.getByRole('heading', { name: 'Denied' }).waitFor()
    await isOut(person)
  })

  test('walks away and is locked out, comes back and goes on, signs out and the remote session ends', async () => {
    const { person, pushId } = await inByActiveconnect('walker')
    await bank.sandbox.phone.act(pushId, 'walk-away')
    await vi.waitFor(
      async () => {
        await person.page.goto(`${bank.url}/account`)
        expect(person.page.url()).toContain('/suspended')
      },
      { timeout: 20_000, interval: 300 },
    )
    await person.page.getByRole('heading', { name: 'Locked while you are away' }).waitFor()
    await bank.sandbox.phone.act(pushId, 'come-back')
    // The page opens again by itself.
    await person.page.waitForURL('**/account', { timeout: 30_000 })
    expect(remoteStatus(pushId)).toBe('active')

    await person.signOut()
    await vi.waitFor(() => {
      expect(remoteStatus(pushId)).toBe('closed')
    })
    await isOut(person)
  })

  test('is signed out here when the session is ended from the phone', async () => {
    const { person, pushId } = await inByActiveconnect('remote')
    await bank.sandbox.phone.act(pushId, 'close')
    await vi.waitFor(
      async () => {
        await person.page.goto(`${bank.url}/account`)
        expect(person.page.url()).toContain('/sign-in')
      },
      { timeout: 20_000, interval: 300 },
    )
    await isOut(person)
  })

  /** Somebody with a phone of this provider only, at the choice of the second factor. */
  async function enrolled(name: string, provider: string): Promise<Person> {
    const person = await Person.arrive(browser, bank, name)
    await person.signUp()
    await person.page.getByRole('link', { name: `Use ${provider}` }).click()
    await person.page.getByRole('heading', { name: `Connect ${provider}` }).waitFor()
    await person.enrolApp()
    return person
  }

  async function inByActiveconnect(name: string): Promise<{ readonly person: Person; readonly pushId: string }> {
    const person = await enrolled(name, 'Activeconnect')
    await person.page.getByRole('button', { name: 'Ask Activeconnect' }).click()
    const push = await bank.sandbox.phone.waitForPush({ provider: 'activeconnect' })
    await bank.sandbox.phone.approve(push)
    await person.page.waitForURL('**/account')
    expect(await person.page.getByText('Activeconnect, with your phone nearby').isVisible()).toBe(true)
    return { person, pushId: push.id }
  }

  function remoteStatus(id: string): string | undefined {
    const push = bank.sandbox.phone.pushes({ id })[0]
    return push?.details.find(({ label }) => label === 'Session')?.value
  }

  async function isOut(person: Person): Promise<void> {
    await person.page.goto(`${bank.url}/account`)
    await person.page.waitForURL(/sign-in/)
    await person.context.close()
  }
})
