import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { startSandbox, type Sandbox } from 'passport-outofband/sandbox'
import { listening } from '../support/listen.js'
import { makeTemporaryFolder, removeFolder } from '../support/temporary.js'

const root = resolve(import.meta.dirname, '../..')

/** The bank as a process of its own, on a sandbox of the test's. */
export interface RunningBank {
  readonly url: string
  readonly sandbox: Sandbox
  /** What the bank has printed since it was first started. */
  readonly printed: () => string
  /** Ends the process, at once and without a word, and starts it again on the same data. */
  killAndRestart(): Promise<void>
  close(): Promise<void>
}

export async function startBank(env: Readonly<Record<string, string>> = {}): Promise<RunningBank> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const folder = makeTemporaryFolder()
  const sandbox = await startSandbox({ authy: { callback: { url: `${url}/callbacks/authy` }, rateLimit: false } })
  let printed = ''
  const start = (): Promise<ChildProcess> =>
    startProcess((text) => (printed += text), {
      ...process.env,
      NODE_ENV: 'test',
      PORT: String(port),
      DATA_DIR: folder,
      AUTHY_API_KEY: sandbox.authy.apiKey,
      AUTHY_URL: sandbox.authy.url,
      PHONE_URL: sandbox.phone.url,
      ...providerVariables(sandbox),
      SMS_GATEWAY_URL: sandbox.gateways.smsUrl,
      EMAIL_GATEWAY_URL: sandbox.gateways.emailUrl,
      SENDSECURE_URL: sandbox.sendsecure.url,
      SENDSECURE_ACCOUNT: sandbox.sendsecure.enterpriseAccount,
      SENDSECURE_USERNAME: sandbox.sendsecure.username,
      SENDSECURE_PASSWORD: sandbox.sendsecure.password,
      SENDSECURE_EMAIL: sandbox.sendsecure.userEmail,
      ...env,
    })
  let child = await start()
  return {
    url,
    sandbox,
    printed: () => printed,
    killAndRestart: async () => {
      await end(child, 'SIGKILL')
      child = await start()
    },
    close: async () => {
      await end(child, 'SIGTERM')
      await sandbox.close()
      removeFolder(folder)
    },
  }
}

function providerVariables({ passbyme, activeconnect }: Sandbox): Readonly<Record<string, string>> {
  return {
    PASSBYME_URL: passbyme.url,
    PASSBYME_MANAGEMENT_URL: passbyme.managementUrl,
    PASSBYME_PEM: passbyme.pemFile,
    PASSBYME_ORGANISATION_PEM: passbyme.organisationPemFile,
    PASSBYME_PASSPHRASE: passbyme.passphrase,
    PASSBYME_CA: passbyme.caFile,
    PASSBYME_OFFICERS: passbyme.users.join(','),
    ACTIVECONNECT_URL: activeconnect.url,
    ACTIVECONNECT_APPLICATION_ID: activeconnect.applicationId,
    ACTIVECONNECT_APPLICATION_SECRET: activeconnect.applicationSecret,
  }
}

async function startProcess(onPrint: (text: string) => void, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'example-app/main.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((ready, failed) => {
    child.once('error', failed)
    child.once('exit', (code) => {
      failed(new Error(`the bank ended with ${code} before it listened`))
    })
    // The first line says that it listens.
    child.stdout.on('data', (text: Buffer) => {
      onPrint(text.toString())
      ready()
    })
  })
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

async function freePort(): Promise<number> {
  const probe = await listening(createServer())
  await probe.close()
  return probe.port
}

/** Somebody with a browser of their own, in which this bank and its phone are two windows. */
export class Person {
  readonly bank: RunningBank
  readonly context: BrowserContext
  readonly page: Page
  readonly email: string

  private constructor(bank: RunningBank, context: BrowserContext, page: Page, email: string) {
    this.bank = bank
    this.context = context
    this.page = page
    this.email = email
  }

  static async arrive(browser: Browser, bank: RunningBank, name: string, host = 'example.com'): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: 1100, height: 800 } })
    const page = await context.newPage()
    return new Person(bank, context, page, `${name}@${host}`)
  }

  async signUp(): Promise<void> {
    const { page } = this
    await page.goto(this.bank.url)
    await page.getByRole('link', { name: 'Open an account' }).click()
    await page.getByLabel('Your name').fill('Ada Lovelace')
    await page.getByLabel('E-mail').fill(this.email)
    await page.getByLabel('Password').fill('correct horse battery')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL('**/enrol')
  }

  /** Puts the account on the simulated phone, as a person does: through the link, and the button on the phone. */
  async enrolApp(): Promise<Page> {
    const [phone] = await Promise.all([
      this.context.waitForEvent('page'),
      this.page.getByRole('link', { name: 'Connect the simulated phone' }).click(),
    ])
    await phone.getByRole('button', { name: 'Add' }).click()
    await this.page.waitForURL('**/sign-in/second-factor')
    return phone
  }

  /** Types the password, and arrives wherever that leads. */
  async typePassword(page = this.page, password = 'correct horse battery'): Promise<void> {
    await page.goto(`${this.bank.url}/sign-in`)
    await page.getByLabel('E-mail').fill(this.email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Continue' }).click()
  }

  async password(page = this.page): Promise<void> {
    await this.typePassword(page)
    await page.waitForURL('**/sign-in/second-factor')
  }

  async askPhone(page = this.page): Promise<void> {
    await page.getByRole('button', { name: 'Ask my phone' }).click()
    await page.waitForURL('**/waiting/*')
  }

  /** A new account with the app enrolled and signed in. Gives the phone's window. */
  async settleIn(): Promise<Page> {
    await this.signUp()
    const phone = await this.enrolApp()
    await this.askPhone()
    await press(phone, 'Approve')
    await this.page.waitForURL('**/account')
    return phone
  }

  async signOut(page = this.page): Promise<void> {
    await page.getByRole('button', { name: /Sign out/ }).click()
    await page.waitForURL('**/sign-in?out')
  }
}

/** Presses a button of the newest push on the phone, which everybody of a test file shares. */
export async function press(phone: Page, name: 'Approve' | 'Deny'): Promise<void> {
  await phone.getByRole('button', { name }).first().click()
}

/** The code that the newest app on the phone shows. */
export function appCode(bank: RunningBank): string {
  const device = bank.sandbox.phone
    .devices()
    .filter((entry) => entry.provider === 'authy' && entry.showsCode)
    .at(-1)
  return bank.sandbox.phone.code(device?.id ?? '').code
}
