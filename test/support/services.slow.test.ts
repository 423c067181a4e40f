import { Client } from 'pg'
import { createClient } from 'redis'
import { expect, onTestFinished, test } from 'vitest'
import { launchBrowser } from './browser.js'
import { listen } from './listen.js'
import { describeWith, sharedPostgres, sharedRedis } from './services.js'

describeWith('redis', 'the shared Redis', () => {
  test('is one for all who ask', async () => {
    const urls = await Promise.all([sharedRedis(), sharedRedis()])
    expect(new Set(urls).size).toBe(1)
    const client = createClient({ url: urls[0] })
    await client.connect()
    onTestFinished(() => client.close())
    expect(await client.ping()).toBe('PONG')
  })
})

describeWith('postgres', 'the shared PostgreSQL', () => {
  test('takes the password in its URL, and no other', async () => {
    const url = await sharedPostgres()
    const client = new Client({ connectionString: url })
    await client.connect()
    onTestFinished(() => client.end())
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    const stranger = new Client({ connectionString: url.replace(/:\w+@/, ':wrong@') })
    await expect(stranger.connect()).rejects.toThrow('password')
  })
})

describeWith('chromium', 'the browser', () => {
  test('shows a page', async () => {
    const site = await listen((_req, res) => res.setHeader('content-type', 'text/html').end('<h1>Hello</h1>'))
    onTestFinished(() => site.close())
    const browser = await launchBrowser()
    onTestFinished(() => browser.close())
    const page = await browser.newPage()
    await page.goto(site.url)
    expect(await page.textContent('h1')).toBe('Hello')
  })
})
