import type { Browser, Page } from 'playwright-core'
import { type Sandbox, startSandbox } from 'passport-outofband/sandbox'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith } from '../support/services.js'

describeWith('chromium', 'the phone page', () => {
  let browser: Browser
  let sandbox: Sandbox
  let page: Page
  let requests: string[]
  let complaints: string[]

  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  beforeEach(async () => {
    sandbox = await startSandbox()
    page = await browser.newPage()
    requests = []
    complaints = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  })
  afterEach(async () => {
    await page.close()
    await sandbox.close()
  })

  async function api(path: string, body: object): Promise<{ user: { id: number } }> {
    const answer = await fetch(sandbox.authy.url + path, {
      method: 'POST',
      headers: { 'X-Authy-API-Key': sandbox.authy.apiKey, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await answer.json()) as { user: { id: number } }
  }

  async function person(): Promise<number> {
    const { user } = await api('/protected/json/users/new', {
      user: { email: 'ada@example.com', cellphone: '2015550100', country_code: 1 },
    })
    return user.id
  }

  test('a stranger opens the link of the text, sees the push arrive and approves it with the keyboard', async () => {
    await page.goto(sandbox.phone.url)
    await page.getByText('Nothing to approve').waitFor()
    const id = await person()
    await page.getByRole('button', { name: 'Open on this phone' }).click()
    await page.locator('.device .code').waitFor()
    await api(`/onetouch/json/users/${id}/approval_requests`, { message: 'Sign in?', details: { Place: 'Lisbon' } })
    const approve = page.getByRole('button', { name: 'Approve' })
    await approve.waitFor()
    expect(await page.title()).toBe('(1) Sandbox phone')
    await vi.waitFor(async () => expect(await page.getByRole('alert').first().textContent()).toContain('Sign in?'))
    await approve.focus()
    await page.keyboard.press('Enter')
    await vi.waitFor(() => expect(sandbox.phone.pushes()[0]?.status).toBe('approved'))
    await page.getByText('Nothing to approve').waitFor()
    expect(complaints).toEqual([])
  })

  test('shows what a push says as text, whatever it says', async () => {
    const id = await person()
    await sandbox.phone.enrol({ phone: '+12015550100' })
    const hostile = '<img src=x onerror="document.title=1"><script>alert(1)</script>'
    await api(`/onetouch/json/users/${id}/approval_requests`, { message: hostile, details: { [hostile]: hostile } })
    await page.goto(sandbox.phone.url)
    await page.locator('.push .text', { hasText: hostile }).waitFor()
    expect(await page.locator('.push img, .push script').count()).toBe(0)
  })

  test('takes an expired push away when its time is over, without a reload', async () => {
    const id = await person()
    await sandbox.phone.enrol({ phone: '+12015550100' })
    await api(`/onetouch/json/users/${id}/approval_requests`, { message: 'Soon over', seconds_to_expire: 60 })
    await page.goto(sandbox.phone.url)
    await page.getByRole('button', { name: 'Deny' }).waitFor()
    sandbox.clock.advance(61_000)
    await page.getByText('Nothing to approve').waitFor()
  })

  test('shows mails with links to click, newest first, and finds them by address', async () => {
    const root = sandbox.gateways.emailUrl
    const mail = { from_: 'bank@example.com', html: null, tag: 'n' }
    const url = `${sandbox.gateways.emailUrl}unsubscribe/x/?a=1&b=2`
    const hostile = '<a href="javascript:alert(1)">x</a> javascript:alert(1)'
    for (const [to, subject, text] of [
      ['ada@example.com', 'First', `Set a new password: ${url}.\nThen ${url} again`],
      ['bob@example.com', 'Second', hostile],
    ] as const) {
      const body = JSON.stringify({ ...mail, to: [to], subject, text })
      const headers = { 'content-type': 'application/json' }
      expect((await fetch(`${root}message/`, { method: 'POST', headers, body })).status).toBe(201)
      await sandbox.phone.waitForMessage({ to })
    }
    await person()
    await page.goto(sandbox.phone.url)
    await page.getByRole('button', { name: 'Mail', exact: true }).click()
    const subjects = page.locator('.message .subject')
    await vi.waitFor(async () => expect(await subjects.allTextContents()).toEqual(['Second', 'First']))
    await page.locator('.message .text', { hasText: hostile }).waitFor()
    expect(
      await page.locator('.message a').evaluateAll((links) => links.map((link) => link.getAttribute('href'))),
    ).toEqual([url, url])
    const opened = page.waitForEvent('popup')
    await page.locator('.message a').first().click()
    expect((await opened).url()).toBe(url)
    await page.getByLabel('Find messages by number or address').fill('BOB@')
    await vi.waitFor(async () => expect(await subjects.allTextContents()).toEqual(['Second']))
    await page.getByLabel('Find messages by number or address').fill('nobody')
    await page.getByText('No message fits.').waitFor()
    expect(complaints).toEqual([])
  })

  test('works with nothing but what comes from its own address [SC 80]', async () => {
    await person()
    await page.goto(sandbox.phone.url)
    await page.getByRole('button', { name: 'Open on this phone' }).waitFor()
    expect(requests.length).toBeGreaterThan(3)
    expect(requests.filter((url) => !url.startsWith(sandbox.phone.url))).toEqual([])
    expect(complaints).toEqual([])
  })

  test('another page in the same browser can neither press Approve nor read a code [SC 75]', async () => {
    const id = await person()
    await sandbox.phone.enrol({ phone: '+12015550100' })
    await api(`/onetouch/json/users/${id}/approval_requests`, { message: 'Sign in?' })
    const push = await sandbox.phone.waitForPush()
    // The other page is served by somebody else's server on this machine: another port is another origin.
    await page.goto(`${sandbox.authy.url}/nothing-here`)
    const outcome = await page.evaluate(
      async ([phone, pushId]) => {
        const blocked = (): string => 'blocked'
        const opaque = await fetch(`${phone}/api/pushes/${pushId}/approve`, { method: 'POST', mode: 'no-cors' }).then(
          (answer) => answer.type,
          blocked,
        )
        const asked = await fetch(`${phone}/api/pushes/${pushId}/approve`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{}',
        }).then(() => 'answered', blocked)
        const read = await fetch(`${phone}/api/devices`).then(() => 'answered', blocked)
        return { opaque, asked, read }
      },
      [sandbox.phone.url, push.id] as const,
    )
    expect(outcome).toEqual({ opaque: expect.stringMatching(/opaque|blocked/), asked: 'blocked', read: 'blocked' })
    expect(sandbox.phone.pushes()[0]?.status).toBe('pending')
  })

  test('falls back to polling where the live stream is out of reach', async () => {
    await page.addInitScript('delete window.EventSource')
    await page.goto(sandbox.phone.url)
    await person()
    await page.getByRole('button', { name: 'Open on this phone' }).waitFor({ timeout: 10_000 })
  })

  test('says so when a link is of no use', async () => {
    await page.goto(sandbox.phone.url)
    await page.getByLabel('Link, text of a QR code, or phone number').fill('https://example.com/')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByText('no provider of this sandbox knows').waitFor()
  })

  test('has the account that a link hands over in sight, with everything that is drawn above it', async () => {
    for (let index = 0; index < 12; index += 1) {
      const body = {
        from_: 'bank@example.com',
        to: ['ada@example.com'],
        subject: `No. ${index}`,
        html: null,
        text: 'x',
        tag: '',
      }
      const headers = { 'content-type': 'application/json' }
      await fetch(`${sandbox.gateways.emailUrl}message/`, { method: 'POST', headers, body: JSON.stringify(body) })
    }
    await sandbox.phone.waitForMessage({ kind: 'mail', to: 'ada@example.com', text: /x/ })
    await page.goto(`${sandbox.phone.url}/#enrol=authy%3A%2F%2Faccount`)
    await page.getByText('No. 11').waitFor()
    const add = page.getByRole('button', { name: 'Add' })
    await vi.waitFor(async () => {
      const box = await add.boundingBox()
      expect(box && box.y >= 0 && box.y + box.height <= (page.viewportSize()?.height ?? 0)).toBe(true)
    })
  })
})
