import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { AttachmentCorruptedError, AttachmentRefusedError, InvalidInputError } from 'passport-outofband'
import type { AttachmentInput, SafeBoxDraft, UploadProgress } from 'passport-outofband/sendsecure'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { draft, setUp, type Setting } from '../../sandbox/sendsecure/support.js'
import { Replay } from './golden/replay.js'

const content = randomBytes(700_001)
const sha256 = createHash('sha256').update(content).digest('hex')
let setting: Setting
let folder: string
let path: string

beforeAll(async () => {
  setting = await setUp()
  folder = await mkdtemp(join(tmpdir(), 'sendsecure-attachments-'))
  path = join(folder, 'report.pdf')
  await writeFile(path, content)
})
afterAll(async () => {
  await setting.close()
  await rm(folder, { recursive: true })
})

const filename = 'report.pdf'
const sources: Record<string, () => AttachmentInput> = {
  'a path': () => ({ source: path }),
  'a Buffer': () => ({ source: content, filename }),
  'a Uint8Array that is a part of a larger one': () => ({
    source: new Uint8Array(Buffer.concat([content, content])).subarray(0, content.length),
    filename,
  }),
  'a Blob': () => ({ source: new Blob([content]), filename }),
  'a File': () => ({ source: new File([content], filename) }),
  'a Node stream of known size': () => ({ source: createReadStream(path), filename, size: content.length }),
  'a Node stream of unknown size': () => ({ source: createReadStream(path), filename }),
  'a web stream': () => ({ source: new Blob([content]).stream(), filename }),
  'a function that opens a stream': () => ({ source: () => createReadStream(path), filename, size: content.length }),
}

test.each(Object.keys(sources))('%s arrives byte for byte', async (name) => {
  const box = await setting.client.initializeSafebox(setting.userEmail)
  const uploaded = await setting.client.uploadAttachment(box, sources[name]!())
  expect(uploaded).toMatchObject({ filename, contentType: 'application/pdf', size: content.length, sha256 })
  await setting.client.commitSafebox({
    ...draft(setting.userEmail),
    ...box,
    securityProfileId: 21,
    attachments: [uploaded],
  })
  expect(setting.sandbox.sendsecure.safeboxes().at(-1)!.documents[0]).toMatchObject({ name: filename, sha: sha256 })
})

test('a size that is known makes a Content-Length; one that is not makes a chunked upload', async () => {
  const replay = await new Replay([]).start()
  const uploadUrl = replay.fill('{{fileserver}}/xmss/x')
  const client = await setting.connect({ uploadRetries: 0 })
  for (const name of Object.keys(sources)) {
    replay.seen.length = 0
    await client.uploadAttachment({ uploadUrl }, sources[name]!()).catch(() => undefined)
    const unknown = /unknown|web/.test(name)
    expect([name, replay.seen[0]!.chunked]).toEqual([name, unknown])
    expect(replay.seen[0]!.body).toMatchObject({ parts: [{ size: content.length, sha256 }] })
  }
  replay.close()
})

test.each([-1, 1])('a stream that is %i byte off its size fails, and nothing is taken', async (off) => {
  const box = await setting.client.initializeSafebox(setting.userEmail)
  const upload = setting.client.uploadAttachment(box, {
    source: Readable.from([content]),
    filename,
    size: content.length + off,
  })
  await expect(upload).rejects.toMatchObject({ code: 'ERR_INPUT', field: 'size' })
})

test.each<[string, unknown]>([
  ['no such file', { source: '/nowhere/at/all.pdf' }],
  ['a folder', { source: '/tmp', filename: 'x' }],
  ['no name', { source: content }],
  ['an empty name', { source: content, filename: ' ' }],
  ['a name that is only dots', { source: content, filename: '../..' }],
  ['a content type with a line break', { source: content, filename, contentType: 'text/plain\r\nX-Evil: 1' }],
  ['a negative size', { source: Readable.from([]), filename, size: -1 }],
  ['a number', { source: 5, filename }],
])('%s is refused before anything is sent', async (_name, input) => {
  const upload = setting.client.uploadAttachment(
    { uploadUrl: `${setting.sandbox.sendsecure.fileServerUrl}/xmss/x` },
    input as AttachmentInput,
  )
  await expect(upload).rejects.toBeInstanceOf(InvalidInputError)
})

test('whatever the file name, the upload has one part, one header line more than a name needs, and no other [SC 89]', async () => {
  const replay = await new Replay([]).start()
  const uploadUrl = replay.fill('{{fileserver}}/xmss/x')
  const client = await setting.connect({ uploadRetries: 0 })
  const names = fc.string({
    unit: fc.constantFrom('a', '"', '\r', '\n', '/', '\\', '.', ';', '=', '\0', 'é', '漢', '\u202e', '-', ' '),
    minLength: 1,
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(names, async (name) => {
      replay.seen.length = 0
      const failure: unknown = await client
        .uploadAttachment({ uploadUrl }, { source: Buffer.from('x'), filename: name, contentType: 'text/plain' })
        .catch((error: unknown) => error)
      if (failure instanceof InvalidInputError) return
      const { parts } = replay.seen[0]!.body as { parts: { headers: string[] }[] }
      expect(parts).toHaveLength(1)
      expect(parts[0]!.headers).toHaveLength(2)
      expect(parts[0]!.headers[0]).toMatch(/^Content-Disposition: form-data; name="file"; filename="[^"\r\n\\/\0]+"$/)
    }),
    { numRuns: 60 },
  )
  replay.close()
})

describe('progress', () => {
  test('can be iterated: it grows to the whole size, and the outcome is awaited beside it', async () => {
    const seen: UploadProgress[] = []
    const upload = setting.client.submitSafebox(draft(setting.userEmail, { attachments: [{ source: path }] }), {
      verifyDigests: true,
    })
    for await (const progress of upload) seen.push(progress)
    expect(seen.at(-1)).toMatchObject({
      filename,
      sentBytes: content.length,
      totalBytes: content.length,
      attempt: 1,
      index: 0,
    })
    expect((await upload).status).toBe('in_progress')
  })

  test('an iterator throws what the upload fails with', async () => {
    const upload = setting.client.submitSafebox(
      draft(setting.userEmail, { attachments: [{ source: '/nowhere' }], securityProfileId: 21 }),
    )
    const iterate = async (): Promise<void> => {
      for await (const _progress of upload);
    }
    await expect(iterate()).rejects.toBeInstanceOf(InvalidInputError)
  })
})

test('a digest that the service reports and that is not ours is an error', async () => {
  const box = await setting.client.submitSafebox(draft(setting.userEmail, { attachments: [{ source: path }] }))
  const [document] = setting.sandbox.sendsecure.safeboxes().at(-1)!.documents
  const claim = { guid: document!.id, filename, contentType: 'x', size: content.length, sha256 }
  await setting.client.verifyAttachments(box, [claim])
  await expect(setting.client.verifyAttachments(box, [{ ...claim, sha256: '0'.repeat(64) }])).rejects.toBeInstanceOf(
    AttachmentCorruptedError,
  )
})

test("the enterprise's own limits are checked before anything is allocated", async () => {
  const { sendsecure } = setting.sandbox
  const { drafts } = sendsecure
  sendsecure.configure({ max_file_size_value: 1, max_file_size_unit: 'KB' })
  await expect(
    setting.client.submitSafebox(draft(setting.userEmail, { attachments: [{ source: path }] })),
  ).rejects.toMatchObject({ reason: 'size' })
  sendsecure.configure({ max_file_size_value: null })
  const exe = { source: content, filename: 'a.EXE' }
  await expect(setting.client.submitSafebox(draft(setting.userEmail, { attachments: [exe] }))).rejects.toBeInstanceOf(
    AttachmentRefusedError,
  )
  expect(sendsecure.drafts).toBe(drafts)
})

test('the compiler tells what is mandatory, what is optional and what is read-only', async () => {
  const participants = [{ email: 'a@b.example' }]
  const both = { expirationDate: new Date(), expirationValue: 5, expirationUnit: 'days' } as const
  const drafts: SafeBoxDraft[] = [
    { userEmail: 'a', participants },
    // @ts-expect-error the creator is mandatory
    { participants },
    // @ts-expect-error the status is the service's
    { userEmail: 'a', participants, status: 'closed' },
    // @ts-expect-error a value needs its unit
    { userEmail: 'a', participants, securityOptions: { expirationValue: 5 } },
    // @ts-expect-error one kind of expiration or the other
    { userEmail: 'a', participants, securityOptions: both },
    // @ts-expect-error a stream has no name of its own
    { userEmail: 'a', participants, attachments: [{ source: Readable.from([]) }] },
  ]
  expect(drafts).toHaveLength(6)
  const safebox = await setting.client.submitSafebox(draft(setting.userEmail))
  // @ts-expect-error what the service answers is read-only
  expect(() => (safebox.status = 'closed')).toThrow(TypeError)
})
