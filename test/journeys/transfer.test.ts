import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith } from '../support/services.js'
import { Person, startBank, type RunningBank } from './bank.js'

// A browser, two servers and argon2 share the machine with the other test files.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

const IBAN = 'IE29 AIBK 9311 5212 3456 78'

describeWith('chromium', 'a person who transfers money', () => {
  let browser: Browser
  let bank: RunningBank

  beforeAll(async () => {
    ;[browser, bank] = await Promise.all([launchBrowser(), startBank()])
  })
  afterAll(async () => {
    await browser.close()
    await bank.close()
  })

  test('sees amount and payee on the phone, approves, and the money has moved once', async () => {
    const person = await settled('payer')
    await fill(person, { payee: 'Grace Hopper', amount: '250.50' })
    const push = await bank.sandbox.phone.waitForPush({ message: /^Pay/ })
    expect(push.message).toBe('Pay €250.50 to Grace Hopper, IE29AIBK93115212345678?')
    expect(await balance(person)).toContain('€48,235.00')
    await bank.sandbox.phone.approve(push)
    await person.page.getByRole('heading', { name: 'On its way' }).waitFor()
    expect(await person.page.getByRole('main').innerText()).toContain('Grace Hopper')
    const after = await balance(person)
    expect(after).toContain('€47,984.50')
    expect(after).toContain('−€250.50')
    await person.context.close()
  })

  test('denies it on the phone, and nothing has moved', async () => {
    const person = await settled('denier')
    await fill(person, { payee: 'Mallory', amount: '900' })
    await bank.sandbox.phone.deny({ id: (await bank.sandbox.phone.waitForPush({ message: /Mallory/ })).id })
    await person.page.getByRole('heading', { name: 'Not transferred' }).waitFor()
    expect(await balance(person)).toContain('€48,235.00')
    await person.context.close()
  })

  test('cannot have another amount executed than the one that was approved', async () => {
    const person = await settled('changer')
    await fill(person, { payee: 'Mallory', amount: '10' })
    const push = await bank.sandbox.phone.waitForPush({ message: /Pay €10.00 to Mallory/ })
    // What somebody with the browser's tools, or a script that got into the page, would do.
    await person.page.locator('#finish input[name=amount]').evaluate((input) => {
      input.setAttribute('value', '9000')
    })
    await bank.sandbox.phone.approve(push)
    const other = await bank.sandbox.phone.waitForPush({ message: /Mallory/ }, { timeoutMs: 20_000 })
    expect(other.message).toBe('Pay €9,000.00 to Mallory, IE29AIBK93115212345678?')
    expect(await balance(person)).toContain('€48,235.00')
    await bank.sandbox.phone.deny(other.id)
    await person.page.getByRole('heading', { name: 'Not transferred' }).waitFor()
    expect(await balance(person)).toContain('€48,235.00')
    await person.context.close()
  })

  test('is told what is wrong with the form, and nobody is asked', async () => {
    const person = await settled('typo')
    await fill(person, { payee: 'Grace Hopper', amount: '10', iban: 'IE28 AIBK 9311 5212 3456 78' })
    await person.page.getByRole('alert').getByText('That is not an IBAN').waitFor()
    await fill(person, { payee: 'Grace Hopper', amount: '48235.01' })
    await person.page.getByRole('alert').getByText('There is not that much').waitFor()
    await fill(person, { payee: 'Grace Hopper', amount: '0.001' })
    await person.page.getByRole('alert').getByText('That is not an amount').waitFor()
    expect(bank.sandbox.phone.pushes({ status: 'pending' })).toEqual([])
    await person.context.close()
  })

  test('moves a large sum when two of three officers have approved; one is not enough', async () => {
    const person = await settled('large')
    await fill(person, { payee: 'Builders Ltd', amount: '10000' })
    await person.page.getByText('2 of 3 officers').waitFor()
    const shown = await person.page.getByLabel('Code to compare').innerText()
    const [alice, bob, carol] = bank.sandbox.passbyme.users
    const push = await bank.sandbox.phone.waitForPush({ recipient: alice ?? '', message: /Builders/ })
    expect(push.message).toContain('Pay €10,000.00 to Builders Ltd, IE29AIBK93115212345678?')
    expect(push.compareCode).toBe(shown)
    await bank.sandbox.phone.approve(push)
    // Sent by hand before the second approval, it only comes back to the waiting page.
    await person.page.evaluate("document.getElementById('finish').submit()")
    await person.page.waitForURL('**/transfer/waiting/*')
    expect(await balance(person)).toContain('€48,235.00')
    await bank.sandbox.phone.approve({ recipient: carol ?? '', message: /Builders/ })
    await person.page.getByRole('heading', { name: 'On its way' }).waitFor()
    expect(await balance(person)).toContain('€38,235.00')
    // The third is not asked any longer.
    await vi.waitFor(() => {
      expect(bank.sandbox.phone.pushes({ recipient: bob ?? '', status: 'pending' })).toEqual([])
    })
    await person.context.close()
  })

  test('moves no large sum when two of three officers have denied', async () => {
    const person = await settled('refused')
    await fill(person, { payee: 'Yacht Ltd', amount: '40000' })
    const [alice, bob] = bank.sandbox.passbyme.users
    await bank.sandbox.phone.waitForPush({ recipient: alice ?? '', message: /Yacht/ })
    await bank.sandbox.phone.deny({ recipient: alice ?? '', message: /Yacht/ })
    await bank.sandbox.phone.deny({ recipient: bob ?? '', message: /Yacht/ })
    await person.page.getByRole('heading', { name: 'Not transferred' }).waitFor()
    expect(await balance(person)).toContain('€48,235.00')
    await person.context.close()
  })

  async function settled(name: string): Promise<Person> {
    const person = await Person.arrive(browser, bank, name)
    await person.settleIn()
    return person
  }
})

async function fill(
  { page, bank }: Person,
  order: { readonly payee: string; readonly amount: string; readonly iban?: string },
): Promise<void> {
  await page.goto(`${bank.url}/transfer`)
  await page.getByLabel('To').fill(order.payee)
  await page.getByLabel('IBAN').fill(order.iban ?? IBAN)
  await page.getByLabel('Amount').fill(order.amount)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.waitForLoadState()
}

/** What the account's page says, in a window of its own. */
async function balance(person: Person): Promise<string> {
  const window = await person.context.newPage()
  await window.goto(`${person.bank.url}/account`)
  const text = await window.getByRole('main').innerText()
  await window.close()
  return text
}
