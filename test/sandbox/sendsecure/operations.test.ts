import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { InvalidInputError, SendSecureRejectedError } from 'passport-outofband'
import { getUserToken, SendSecureClient } from 'passport-outofband/sendsecure'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ana, collect, device, draft, setUp, type Setting } from './support.js'

let setting: Setting
let client: SendSecureClient
let userEmail: string

beforeAll(async () => {
  setting = await setUp()
  ;({ client, userEmail } = setting)
})
afterAll(async () => setting.close())

const report = Buffer.from('%PDF-1.4\n%\xe2\xe3 report', 'latin1')
const attachment = { source: report, filename: 'report.pdf' }
const retained = { retentionPeriodType: 'do_not_discard' } as const

describe('tokens', () => {
  test('the same parameters get the same token, another device another one', async () => {
    const { url: endpoint, enterpriseAccount, username, password } = setting.sandbox.sendsecure
    const ask = async (deviceId: string) =>
      (await getUserToken({ endpoint, enterpriseAccount, username, password, ...device, deviceId })).token
    expect(await ask('a')).toBe(await ask('a'))
    expect(await ask('a')).not.toBe(await ask('b'))
    expect(await ask('a')).toMatch(/^USER\|/)
  })

  test('wrong credentials are refused with the documented code, and the password is in no error [SC 90]', async () => {
    const { url: endpoint, enterpriseAccount, username } = setting.sandbox.sendsecure
    const failure = await getUserToken({
      endpoint,
      enterpriseAccount,
      username,
      password: 'hunter2-x',
      ...device,
    }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_PROVIDER_REJECTED', status: 401, providerCode: '102' })
    expect(inspect(failure, { depth: 9, showHidden: true }) + JSON.stringify(failure)).not.toContain('hunter2-x')
  })

  test('a user with a second factor needs the one-time password', async () => {
    const other = await setUp({ oneTimePassword: '482913' }).catch((error: unknown) => error)
    expect(other).toMatchObject({ providerCode: '106' })
  })

  test('a token that has expired is refused', async () => {
    const expired = await setUp()
    expired.sandbox.sendsecure.expireTokens()
    await expect(expired.client.getSafeboxes()).rejects.toMatchObject({ status: 403, providerMessage: 'Access denied' })
    await expired.close()
  })
})

describe('the enterprise', () => {
  test('getEnterpriseSettings', async () => {
    const settings = await client.getEnterpriseSettings()
    expect(settings).toMatchObject({
      defaultSecurityProfileId: 21,
      extensionFilter: { mode: 'forbid', list: ['bat', 'exe'] },
    })
    expect(settings.createdAt).toBeInstanceOf(Date)
  })

  test('getSecurityProfiles', async () => {
    const profiles = await client.getSecurityProfiles(userEmail)
    expect(profiles.map(({ name }) => name)).toContain('Double key')
    expect(profiles[0]!.codeLength).toMatchObject({ value: 6, modifiable: false })
    await expect(client.getSecurityProfiles('nobody+x@else.example')).rejects.toMatchObject({ status: 403 })
  })

  test('getDefaultSecurityProfile', async () => {
    expect((await client.getDefaultSecurityProfile(userEmail))?.id).toBe(21)
    setting.sandbox.sendsecure.configure({ default_security_profile_id: null })
    expect(await client.getDefaultSecurityProfile(userEmail)).toBeUndefined()
    await expect(client.submitSafebox(draft(userEmail))).rejects.toThrow('No Security Profile configured')
    setting.sandbox.sendsecure.configure({ default_security_profile_id: 21 })
  })

  test('getConsentGroupMessages', async () => {
    const group = await client.getConsentGroupMessages(7)
    expect(group.consentMessages.map(({ locale }) => locale)).toEqual(['en', 'fr'])
    await expect(client.getConsentGroupMessages(8)).rejects.toMatchObject({ status: 404 })
  })

  test('userSettings, for the client that knows its user', async () => {
    expect(await client.userSettings()).toMatchObject({ markAsReadDelay: 5, secureLink: { securityProfileId: 34 } })
    const { url: endpoint, enterpriseAccount } = setting.sandbox.sendsecure
    const anonymous = new SendSecureClient({ endpoint, enterpriseAccount, token: 'ACCESS|x' })
    await expect(anonymous.userSettings()).rejects.toBeInstanceOf(InvalidInputError)
  })

  test('searchRecipient, also where only the old path is known', async () => {
    expect((await client.searchRecipient('ana')).map(({ type }) => type)).toEqual(['favorite', 'user'])
    expect(await client.searchRecipient('nobody & #1 + ü')).toEqual([])
    setting.sandbox.sendsecure.quirks.oldAutocompleteOnly = true
    expect(await (await setting.connect()).searchRecipient('reyes')).toHaveLength(1)
    setting.sandbox.sendsecure.quirks.oldAutocompleteOnly = false
  })
})

describe('favorites', () => {
  test('getFavorites, createFavorite, updateFavorite, deleteFavoriteContactMethods, deleteFavorite', async () => {
    const methods = [
      { destination: '+15145550122', destinationType: 'office_phone' },
      { destination: '+15145550133', destinationType: 'cell_phone' },
    ] as const
    const created = await client.createFavorite({
      email: 'li.wei@client.example',
      firstName: 'Li',
      contactMethods: methods,
    })
    expect(created).toMatchObject({ orderNumber: 2, companyName: undefined })
    const updated = await client.updateFavorite({ id: created.id!, lastName: 'Wei', contactMethods: [] })
    expect(updated).toMatchObject({ firstName: 'Li', lastName: 'Wei' })
    expect(updated.contactMethods).toHaveLength(2)
    const first = updated.contactMethods[0]!.id!
    const fewer = await client.deleteFavoriteContactMethods({ ...updated, id: updated.id! }, [first])
    expect(fewer.contactMethods.map(({ destination }) => destination)).toEqual(['+15145550133'])
    expect(await client.getFavorites()).toHaveLength(2)
    await client.deleteFavorite(fewer)
    await expect(client.deleteFavorite(fewer)).rejects.toMatchObject({ status: 404 })
  })
})

describe('sending', () => {
  test('initializeSafebox, uploadAttachment, commitSafebox', async () => {
    const box = await client.initializeSafebox(userEmail)
    expect(Object.keys(box).sort()).toEqual(['extra', 'guid'])
    const uploaded = await client.uploadAttachment(box, attachment)
    expect(uploaded.sha256).toBe(createHash('sha256').update(report).digest('hex'))
    const safebox = await client.commitSafebox({
      ...draft(userEmail),
      attachments: [uploaded],
      guid: box.guid,
      publicEncryptionKey: box.publicEncryptionKey,
      securityProfileId: 21,
    })
    expect(safebox).toMatchObject({ guid: box.guid, status: 'in_progress', userEmail, encryptionKey: undefined })
    expect(safebox.securityOptions).toMatchObject({ securityCodeLength: 6, allowSms: true })
    const [message] = await client.getSafeboxMessages(safebox)
    expect(message!.documents[0]).toMatchObject({
      id: uploaded.guid,
      name: 'report.pdf',
      sha: uploaded.sha256,
      size: report.length,
    })
  })

  test('a SafeBox that is committed twice is refused the second time', async () => {
    const { guid, publicEncryptionKey } = await client.initializeSafebox({ userEmail })
    const commit = { ...draft(userEmail), attachments: [], guid, publicEncryptionKey, securityProfileId: 21 }
    await client.commitSafebox(commit)
    await expect(client.commitSafebox(commit)).rejects.toMatchObject({
      status: 400,
      attributes: { guid: ['is invalid'] },
    })
  })

  test('submitSafebox finds the profile, sends several files in their order and compares what was stored', async () => {
    const files = Array.from({ length: 7 }, (_, index) => ({
      source: Buffer.alloc(300_000 - index * 40_000, index),
      filename: `part-${index}.bin`,
    }))
    const safebox = await client.submitSafebox(draft(userEmail, { attachments: files }), {
      concurrency: 4,
      verifyDigests: true,
    })
    const [message] = await client.getSafeboxMessages(safebox)
    expect(message!.documents.map(({ name }) => name)).toEqual(files.map(({ filename }) => filename))
  })

  test('an absolute expiration arrives', async () => {
    const expirationDate = new Date(Date.now() + 40 * 86_400_000)
    expirationDate.setMilliseconds(0)
    const safebox = await client.submitSafebox(draft(userEmail, { securityOptions: { expirationDate } }))
    expect(safebox.expiration).toEqual(expirationDate)
  })

  test('with double encryption the key is handed out once, and printing the SafeBox does not show it [SC 90]', async () => {
    const safebox = await client.submitSafebox(draft(userEmail, { securityProfileId: 34 }))
    const key = safebox.encryptionKey!
    expect(key).toHaveLength(64)
    expect(safebox.previewUrl).toContain(`?k=${key}`)
    expect(inspect(safebox, { depth: 9, showHidden: true }) + JSON.stringify({ ...safebox })).not.toContain(key)
    expect(JSON.stringify(await client.getSafebox(safebox.guid))).not.toContain(key)
  })

  test('what the service complains about is told by field', async () => {
    const failure = await client
      .submitSafebox(draft(userEmail, { participants: [{ email: 'li@client.example' }], securityProfileId: 35 }))
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SendSecureRejectedError)
    expect(failure).toMatchObject({ status: 400, attributes: { contact_methods: ['cannot be blank'] } })
    expect((failure as SendSecureRejectedError).body).toContain('Some entered values are incorrect.')
  })
})

describe('one SafeBox', () => {
  test('getSafeboxInfo with all and with some sections, getSafebox, and each section by itself', async () => {
    const { guid } = await client.submitSafebox(draft(userEmail, { attachments: [attachment] }))
    const info = await client.getSafebox(guid)
    expect(info.participants!.map(({ role }) => role)).toEqual(['guest', 'owner'])
    expect(info.eventHistory![0]).toMatchObject({ type: 'safebox_created_owner', metadata: { attachment_count: 1 } })
    const some = await client.getSafeboxInfo(guid, ['messages'])
    expect([some.messages, some.participants]).toEqual([info.messages, undefined])
    expect(await client.getSafeboxParticipants(guid)).toEqual(info.participants)
    expect(await client.getSafeboxMessages(guid)).toEqual(info.messages)
    expect(await client.getSafeboxSecurityOptions(guid)).toEqual(info.securityOptions)
    expect(await client.getSafeboxDownloadActivity(guid)).toEqual(info.downloadActivity)
    expect(await client.getSafeboxEventHistory(guid)).toEqual(info.eventHistory)
    await expect(client.getSafebox('f'.repeat(32))).rejects.toMatchObject({ status: 404 })
  })

  test('reply with files, and the read marks of the SafeBox and of one message', async () => {
    const safebox = await client.submitSafebox(draft(userEmail, { securityProfileId: 34 }))
    const answer = await client.reply(safebox, { message: 'Signed copy.', attachments: [attachment] })
    expect(answer.message).toBe('SafeBox successfully updated.')
    const messages = await client.getSafeboxMessages(safebox)
    expect(messages.map(({ note }) => note)).toEqual(['Please find the figures.', 'Signed copy.'])
    const unread = async () => (await client.getSafeboxInfo(safebox, ['messages'])).unreadCount
    await client.markAsUnread(safebox)
    expect(await unread()).toBe(2)
    await client.markAsReadMessage(safebox, messages[0]!)
    expect(await unread()).toBe(1)
    await client.markAsRead(safebox)
    expect(await unread()).toBe(0)
    await client.markAsUnreadMessage(safebox, messages[1]!.id!)
    expect(await unread()).toBe(1)
  })

  test('createUpload needs the key where double encryption is on', async () => {
    const safebox = await client.submitSafebox(draft(userEmail, { securityProfileId: 34 }))
    await expect(client.createUpload(safebox.guid, { size: 3 })).rejects.toMatchObject({ status: 400 })
    const { publicEncryptionKey } = safebox
    expect((await client.createUpload(safebox.guid, { size: 3, publicEncryptionKey })).uploadUrl).toContain('/xmss/')
  })

  test('a SafeBox with a consent message takes a reply only with the consent', async () => {
    const safebox = await client.submitSafebox(draft(userEmail, { securityProfileId: 36 }))
    await expect(client.reply(safebox, { message: 'x' })).rejects.toMatchObject({ status: 400 })
    await client.reply(safebox, { message: 'x', consent: true })
  })

  test('addTime, closeSafebox, deleteSafeboxContent, getAuditRecordUrl and getAuditRecordPdf', async () => {
    const safebox = await client.submitSafebox(
      draft(userEmail, { securityOptions: retained, attachments: [attachment] }),
    )
    const { newExpiration } = await client.addTime(safebox, 3, 'days')
    expect(newExpiration!.getTime() - safebox.expiration!.getTime()).toBe(3 * 86_400_000)
    await expect(client.getAuditRecordUrl(safebox)).rejects.toMatchObject({ status: 403 })
    await expect(client.deleteSafeboxContent(safebox)).rejects.toMatchObject({
      providerMessage: 'Unable to delete the SafeBox content.',
    })
    await client.closeSafebox(safebox)
    await expect(client.closeSafebox(safebox)).rejects.toMatchObject({
      providerMessage: 'Unable to close the SafeBox.',
    })
    expect(await client.getAuditRecordUrl(safebox)).toMatch(/\/s\/[0-9a-f]{32}\.pdf$/)
    const pdf = Buffer.from(await client.getAuditRecordPdf(safebox))
    expect(pdf.subarray(0, 8).toString()).toBe('%PDF-1.4')
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(pdf)).toThrow()
    expect(xrefIsRight(pdf)).toBe(true)
    await client.deleteSafeboxContent(safebox)
    expect(await client.getSafebox(safebox.guid)).toMatchObject({ status: 'content_deleted', messages: [] })
  })

  test('a SafeBox whose time is over is closed, and its content goes when the retention ends', async () => {
    const other = await setUp()
    const securityOptions = {
      expirationValue: 2,
      expirationUnit: 'hours',
      retentionPeriodType: 'retain_at_expiration',
      retentionPeriodValue: 1,
      retentionPeriodUnit: 'days',
    } as const
    const { guid } = await other.client.submitSafebox(draft(other.userEmail, { securityOptions }))
    other.sandbox.clock.advance(3 * 3_600_000)
    expect(await other.client.getSafebox(guid)).toMatchObject({ status: 'closed' })
    await expect(other.client.reply(guid, { message: 'late' })).rejects.toMatchObject({ status: 400 })
    other.sandbox.clock.advance(24 * 3_600_000)
    expect(await other.client.getSafebox(guid)).toMatchObject({ status: 'content_deleted' })
    await other.close()
  })

  test('follow, unfollow, archiveSafebox, unarchiveSafebox', async () => {
    const safebox = await client.submitSafebox(draft(userEmail))
    expect((await client.unfollow(safebox)).message).toBe('The SafeBox is now unfollowed.')
    expect((await client.follow(safebox)).message).toBe('The SafeBox is now followed.')
    expect((await client.archiveSafebox(safebox)).message).toBe('SafeBox successfully archived')
    expect((await client.unarchiveSafebox(safebox.guid, userEmail)).message).toBe(
      'SafeBox successfully removed from Archives',
    )
    await expect(client.archiveSafebox(safebox, 'nobody@x.example')).rejects.toMatchObject({ status: 400 })
  })

  test('createParticipant, updateParticipant, deleteParticipantContactMethods', async () => {
    const safebox = await client.submitSafebox(draft(userEmail))
    const li = await client.createParticipant(safebox, { ...ana, email: 'li.wei@client.example', firstName: 'Li' })
    expect(li.guestOptions).toMatchObject({ locked: false, companyName: 'Client Ltd' })
    const id = li.id!
    const methods = [{ destination: '+15145550144', destinationType: 'home_phone' }] as const
    const locked = await client.updateParticipant(safebox, {
      id,
      guestOptions: { locked: true, contactMethods: methods },
    })
    expect(locked.guestOptions).toMatchObject({ locked: true })
    expect(locked.guestOptions!.contactMethods).toHaveLength(2)
    const [first] = locked.guestOptions!.contactMethods
    const fewer = await client.deleteParticipantContactMethods(safebox, { ...locked, id }, [first!.id!])
    expect(fewer.guestOptions!.contactMethods.map(({ destination }) => destination)).toEqual(['+15145550144'])
  })

  test('getFileUrl and downloadFile: the recipient and the owner get the bytes, and the activity says who did', async () => {
    const safebox = await client.submitSafebox(draft(userEmail, { attachments: [attachment] }))
    const document = (await client.getSafeboxMessages(safebox))[0]!.documents[0]!
    expect(await client.getFileUrl(safebox, document)).toContain(setting.sandbox.sendsecure.fileServerUrl)
    await expect(client.getFileUrl(safebox, document, { userEmail: 'nobody@x.example' })).rejects.toMatchObject({
      providerMessage: 'User email not found',
    })
    const download = await client.downloadFile(safebox, document)
    expect(download.size).toBe(report.length)
    expect(await collect(download.body)).toEqual(report)
    const { owner } = await client.getSafeboxDownloadActivity(safebox)
    expect(owner!.documents[0]).toMatchObject({ id: document.id, downloadedBytes: report.length })
  })
})

test('getSafeboxes filters and pages; iterateSafeboxes goes through all pages, relative or absolute', async () => {
  const other = await setUp()
  for (let index = 0; index < 5; index += 1)
    await other.client.submitSafebox(draft(other.userEmail, { subject: `Box ${index} & co`, securityProfileId: 21 }))
  const page = await other.client.getSafeboxes({ search: '& CO', perPage: 2, status: ['in_progress', 'closed'] })
  expect([page.count, page.safeboxes.length, page.previousPageUrl]).toEqual([5, 2, undefined])
  const next = await other.client.getSafeboxesPage(page.nextPageUrl!)
  expect(next.previousPageUrl).toBeDefined()
  for (const absolutePages of [false, true]) {
    other.sandbox.sendsecure.quirks.absolutePages = absolutePages
    const subjects: (string | undefined)[] = []
    for await (const { subject } of other.client.iterateSafeboxes({ perPage: 2 })) subjects.push(subject)
    expect(new Set(subjects).size).toBe(5)
  }
  await expect(
    other.client.getSafeboxesPage('https://elsewhere.example/api/v2/safeboxes?page=2'),
  ).rejects.toMatchObject({
    code: 'ERR_PROVIDER_PROTOCOL',
  })
  expect(other.sandbox.sendsecure.strayTokens).toBe(0)
  await other.close()
})

test('a recipient opens a SafeBox with the code that was texted; three wrong codes lock the access', async () => {
  const { sandbox } = setting
  const safebox = await client.submitSafebox(draft(userEmail, { securityProfileId: 34, attachments: [attachment] }))
  const view = sandbox.phone.safeboxes().find(({ id }) => id === safebox.guid)!
  expect(view).toMatchObject({ recipients: [ana.email], attachments: [{ name: 'report.pdf' }] })
  sandbox.sendsecure.requestCode(safebox.guid, ana.email)
  const { code } = sandbox.phone.messages({ kind: 'sms', to: '+15145550111' })[0]!
  expect(() => sandbox.sendsecure.open(safebox.guid, ana.email, { code: code! })).toThrow('key')
  const opened = sandbox.sendsecure.open(safebox.guid, ana.email, { code: code!, key: safebox.encryptionKey })
  const response = await fetch(opened.messages[0]!.documents[0]!.url)
  expect(Buffer.from(await response.arrayBuffer())).toEqual(report)
  const { guests } = await client.getSafeboxDownloadActivity(safebox)
  expect(guests[0]!.documents[0]).toMatchObject({
    downloadedBytes: report.length,
    downloadDate: expect.any(Date) as Date,
  })
  sandbox.sendsecure.requestCode(safebox.guid, ana.email)
  for (let index = 0; index < 3; index += 1)
    expect(() => sandbox.sendsecure.open(safebox.guid, ana.email, { code: 'x' })).toThrow()
  expect(() => sandbox.sendsecure.requestCode(safebox.guid, ana.email)).toThrow('locked')
})

function xrefIsRight(pdf: Buffer): boolean {
  const text = pdf.toString('latin1')
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1])
  const entries = [...text.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)]
  return (
    entries.length > 3 && entries.every((entry, index) => text.startsWith(`${index + 1} 0 obj\n`, Number(entry[1])))
  )
}
