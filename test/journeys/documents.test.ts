import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBrowser } from '../support/browser.js'
import { describeWith } from '../support/services.js'
import { makeTemporaryFolder, removeFolder, temporaryFolder } from '../support/temporary.js'
import { waitFor } from '../support/wait-for.js'
import { Person, startBank, type RunningBank } from './bank.js'

// A browser, two servers and 200 MB share the machine with the other test files.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 })

const MB = 1_000_000
const recipient = 'grace@client.example'

describeWith('chromium', 'a customer who sends a document, and its recipient', () => {
  let browser: Browser
  let bank: RunningBank
  let folder: string

  beforeAll(async () => {
    // The sandbox keeps its files below; whatever is left of an upload would be here.
    folder = makeTemporaryFolder()
    vi.stubEnv('TMPDIR', folder)
    ;[browser, bank] = await Promise.all([launchBrowser(), startBank()])
    vi.unstubAllEnvs()
  })
  afterAll(async () => {
    await browser.close()
    await bank.close()
    removeFolder(folder)
  })

  test('watches 200 MB go, cancels, sends again; the recipient opens it with the texted code, and the download is in the activity', async () => {
    const { sendsecure, phone } = bank.sandbox
    const file = sparseFile('minutes.pdf', 200 * MB)
    const person = await Person.arrive(browser, bank, 'sender')
    const { page } = person
    await person.settleIn()
    await page.getByRole('link', { name: 'Documents' }).click()
    await page.getByText('You have not sent anything yet.').waitFor()

    // A line that takes about ten seconds, so that there is time to change one's mind.
    const line = await person.context.newCDPSession(page)
    await limitLine(line, 20 * MB)
    await fillIn(page, file)
    const steps = await watchProgress(page)
    await page.getByRole('button', { name: 'Send' }).click()
    await waitFor(async () => (await steps()).some((value) => value >= 30), { timeoutMs: 60_000 })
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('Cancelled. Nothing was sent.').waitFor()
    const first = await steps()
    expect(new Set(first).size).toBeGreaterThan(2)
    expect(first).toEqual([...first].sort((a, b) => a - b))
    expect(Math.max(...first)).toBeLessThan(100)
    // Nothing half made: no SafeBox, no mail or text to anybody, and soon not one byte of the file.
    await waitFor(() => storedFiles(folder).length === 0, { timeoutMs: 20_000, message: 'the upload is not gone' })
    expect(sendsecure.safeboxes()).toEqual([])
    expect(phone.messages().filter(({ to }) => to === recipient || to === '+15145550123')).toEqual([])
    await limitLine(line, -1)
    await page.reload()
    await page.getByText('You have not sent anything yet.').waitFor()

    await fillIn(page, file)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText(`Sent to ${recipient}.`).waitFor({ timeout: 90_000 })
    await page.getByText('Nobody has downloaded anything yet.').waitFor()
    const [box, ...more] = sendsecure.safeboxes()
    expect(more).toEqual([])
    expect(box).toMatchObject({ subject: 'Minutes', recipients: [recipient], documents: [{ name: 'minutes.pdf' }] })
    expect(box?.documents[0]).toMatchObject({ size: 200 * MB, sha: await digest(file) })

    const received = await openAsRecipient(browser, bank)
    expect(await digest(received)).toBe(box?.documents[0]?.sha)

    await page.goto(`${bank.url}/documents`)
    await page.getByRole('link', { name: 'Minutes' }).click()
    const downloads = page.getByRole('region', { name: 'Downloads' })
    await downloads.getByText(recipient).waitFor()
    expect(await downloads.innerText()).toContain('minutes.pdf, 200 MB of 200 MB')
    expect(await page.getByRole('region', { name: 'What happened' }).innerText()).toContain(
      `SafeBox opened by ${recipient}`,
    )
    await person.context.close()
  })

  test('sends without any script, is told what is wrong, and nobody else sees it', async () => {
    const person = await Person.arrive(browser, bank, 'plain')
    await person.settleIn()
    const cookies = await person.context.cookies()
    const context = await browser.newContext({ javaScriptEnabled: false })
    await context.addCookies(cookies)
    const page = await context.newPage()
    await page.goto(`${bank.url}/documents`)
    await fillIn(page, sparseFile('note.txt', 2000))
    await page.getByLabel('mobile number').fill('555')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('alert').getByText('with its country code').waitFor()
    await fillIn(page, sparseFile('setup.exe', 1000))
    const [refused] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      page.getByRole('button', { name: 'Send' }).click(),
    ])
    expect(refused.status()).toBe(415)
    await page.getByRole('alert').getByText('Files of this type cannot be sent.').waitFor()
    await fillIn(page, sparseFile('note.txt', 2000))
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText(`Sent to ${recipient}.`).waitFor()
    const sent = new URL(page.url()).pathname

    const other = await Person.arrive(browser, bank, 'nosy')
    await other.settleIn()
    expect((await other.page.goto(bank.url + sent))?.status()).toBe(404)
    await other.page.goto(`${bank.url}/documents`)
    await other.page.getByText('You have not sent anything yet.').waitFor()
    await Promise.all([context.close(), person.context.close(), other.context.close()])
  })

  test('is told of a file that the service does not take before anything goes out', async () => {
    const person = await Person.arrive(browser, bank, 'refused')
    await person.settleIn()
    await person.page.goto(`${bank.url}/documents`)
    const before = bank.sandbox.sendsecure.drafts
    await fillIn(person.page, sparseFile('setup.exe', 1000))
    await person.page.getByRole('button', { name: 'Send' }).click()
    await person.page.getByText('Files of this type cannot be sent.').waitFor()
    expect(bank.sandbox.sendsecure.drafts).toBe(before)
    await person.context.close()
  })

  test('sends although the token of the bank has expired meanwhile', async () => {
    const person = await Person.arrive(browser, bank, 'expired')
    await person.settleIn()
    await person.page.goto(`${bank.url}/documents`)
    bank.sandbox.sendsecure.expireTokens()
    await fillIn(person.page, sparseFile('late.txt', 1000))
    await person.page.getByRole('button', { name: 'Send' }).click()
    await person.page.getByText(`Sent to ${recipient}.`).waitFor()
    await person.context.close()
  })
})

/** Bytes a second that the browser can send; -1: as many as it likes. */
async function limitLine(line: CDPSession, uploadThroughput: number): Promise<void> {
  await line.send('Network.enable')
  await line.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput,
  })
}

async function fillIn(page: Page, file: string): Promise<void> {
  await page.getByLabel('e-mail').fill(recipient)
  await page.getByLabel('mobile number').fill('+1 514 555 0123')
  await page.getByLabel('Subject').fill('Minutes')
  await page.getByLabel('File').setInputFiles(file)
}

/** Every value that the bar has shown since. */
async function watchProgress(page: Page): Promise<() => Promise<number[]>> {
  const bar = page.locator('#bar')
  await bar.evaluate((element) => {
    new MutationObserver(() => {
      const seen = element.getAttribute('data-seen') ?? ''
      element.setAttribute('data-seen', `${seen} ${element.getAttribute('value') ?? ''}`)
    }).observe(element, { attributeFilter: ['value'] })
  })
  return async () => ((await bar.getAttribute('data-seen')) ?? '').split(' ').filter(Boolean).map(Number)
}

/** Opens the newest SafeBox through the phone's page, with the code from the phone. Gives the file that came. */
async function openAsRecipient(browser: Browser, bank: RunningBank): Promise<string> {
  const context = await browser.newContext()
  const phone = await context.newPage()
  await phone.goto(bank.sandbox.phone.url)
  const [guest] = await Promise.all([
    context.waitForEvent('page'),
    phone.getByRole('link', { name: `Open as ${recipient}` }).click(),
  ])
  await guest.getByRole('button', { name: 'Send me a code' }).click()
  const text = phone.getByText(/Your security code is \d+/).first()
  await text.waitFor()
  const code = /code is (\d+)/.exec(await text.innerText())?.[1] ?? ''
  await guest.getByLabel('Security code').fill(code)
  await guest.getByRole('button', { name: 'Open' }).click()
  const [download] = await Promise.all([
    guest.waitForEvent('download'),
    guest.getByRole('link', { name: 'minutes.pdf' }).click(),
  ])
  const path = join(temporaryFolder(), 'received.pdf')
  await download.saveAs(path)
  await context.close()
  return path
}

/** A file that takes no room on the disk. */
function sparseFile(name: string, size: number): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, 'a document')
  truncateSync(path, size)
  return path
}

function storedFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /^[0-9a-f]{32}$/.test(entry.name))
    .map(({ name }) => name)
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
