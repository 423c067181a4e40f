import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith } from '../support/services.js'
import { startBank, type RunningBank } from './bank.js'

// A browser, two servers and argon2 share the machine with the other test files.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

describeWith('chromium', 'a developer who looks at the API of the bank', () => {
  let browser: Browser
  let bank: RunningBank

  beforeAll(async () => {
    ;[browser, bank] = await Promise.all([launchBrowser(), startBank()])
  })
  afterAll(async () => {
    await browser.close()
    await bank.close()
  })

  /** Runs an operation on the page, and gives the answer's status and body. */
  async function tryOut(page: Page, operation: string, fill: { body?: object; id?: string }): Promise<Reply> {
    const block = page.locator(`[id="operations-${operation}"]`)
    await block.locator('.opblock-summary-control').click()
    await block.getByRole('button', { name: 'Try it out' }).click()
    if (fill.body !== undefined) await block.locator('textarea').fill(JSON.stringify(fill.body))
    if (fill.id !== undefined) await block.locator('.parameters input').first().fill(fill.id)
    await block.getByRole('button', { name: 'Execute' }).click()
    const answer = block.locator('.live-responses-table .response')
    const status = Number.parseInt(await answer.locator('.response-col_status').innerText(), 10)
    return { status, text: await answer.locator('.highlight-code').first().innerText() }
  }

  test('signs in there, and reads with the token what belongs to it; nothing comes from elsewhere', async () => {
    const page = await (await browser.newContext()).newPage()
    const problems: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 401/.test(message.text())) problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(error.message))
    const sites = new Set<string>()
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) sites.add(new URL(request.url()).origin)
    })
    const person = { email: 'dev@example.com', password: 'correct horse battery' }
    await page.request.post(`${bank.url}/api/v1.0/user/`, { data: person })

    await page.goto(bank.url)
    await page.getByRole('link', { name: 'API of the user service' }).click()
    await page.getByRole('button', { name: 'Authorize' }).waitFor()
    const me = { id: 'current' }
    expect(await tryOut(page, 'user-getUser', me)).toMatchObject({ status: 401 })
    const login = await tryOut(page, 'auth-login', { body: person })
    expect(login.status).toBe(200)
    const token = /"access_token": "([^"]+)"/.exec(login.text)?.[1] ?? ''
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.locator('.auth-container input').fill(token)
    await page.locator('.auth-btn-wrapper').getByRole('button', { name: 'Apply credentials' }).click()
    await page.locator('.auth-btn-wrapper').getByRole('button', { name: 'Close' }).click()
    const block = page.locator('[id="operations-user-getUser"]')
    await block.getByRole('button', { name: 'Execute' }).click()
    await block.locator('.live-responses-table').getByText(person.email).waitFor()
    expect(sites).toEqual(new Set([bank.url]))
    expect(problems).toEqual([])
    await page.context().close()
  })
})

interface Reply {
  readonly status: number
  readonly text: string
}
