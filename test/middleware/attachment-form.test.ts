import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import busboy from 'busboy'
import fc from 'fast-check'
import { sendAttachments, type AttachmentClient, type AttachmentDraft } from 'passport-outofband/middleware'
import { describe, expect, test } from 'vitest'

// Our own cutting of forms against the library that the heads are read with: the same parts, however the bytes come.

interface Form {
  readonly fields: Readonly<Record<string, string | undefined>>
  readonly files: readonly { readonly filename: string; readonly contentType: string; readonly sha256: string }[]
}

const digest = (chunks: readonly Uint8Array[]): string =>
  createHash('sha256').update(Buffer.concat(chunks)).digest('hex')

function requestOf(chunks: readonly Uint8Array[], boundary: string): IncomingMessage {
  const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
  // Readable enough: what the middleware needs of a request, without a socket that would join what is cut here.
  return Object.assign(source, { headers, httpVersion: '1.1', complete: true }) as unknown as IncomingMessage
}

/** What comes out of the middleware, or the status of its refusal. */
async function ours(chunks: readonly Uint8Array[], boundary: string, stopEarly = false): Promise<Form | number> {
  const files: Form['files'][number][] = []
  let fields: Form['fields'] = {}
  const client: AttachmentClient<AttachmentDraft, { guid: string }> = {
    getEnterpriseSettings: async () => ({}),
    getDefaultSecurityProfile: async () => ({ id: 1 }),
    initializeSafebox: async () => ({ guid: 'x', publicEncryptionKey: undefined, uploadUrl: 'x' }),
    uploadAttachment: async (_place, { source, release, filename, contentType = '' }) => {
      const seen: Uint8Array[] = []
      for await (const chunk of source) {
        seen.push(Uint8Array.from(chunk))
        release?.(chunk)
        if (stopEarly) break
      }
      files.push({ filename, contentType, sha256: digest(seen) })
      return { guid: 'x', filename, contentType, size: 0, sha256: digest(seen) }
    },
    commitUploaded: async () => ({ guid: 'x' }),
    checkDraft: () => undefined,
    checkLimits: () => undefined,
    verifyAttachments: async () => undefined,
  }
  return new Promise((resolve, reject) => {
    const req = requestOf(chunks, boundary)
    const res = {
      statusCode: 0,
      headersSent: false,
      writableEnded: false,
      setHeader: () => undefined,
      getHeader: () => undefined,
      write: () => true,
      end: () => resolve(res.statusCode),
      on: () => undefined,
      flushHeaders: () => undefined,
    }
    // The fields are seen by whoever says what is expected of a file, and by the draft of a form without files.
    const handle = sendAttachments({
      client,
      draft: (_req, form) => {
        fields = form.fields
        return { userEmail: 'mira@acme.example' }
      },
      expected: (_req, file) => {
        fields = file.fields
        return undefined
      },
      onSent: () => resolve({ fields: { ...fields }, files }),
    })
    handle(req, res, reject)
  })
}

async function library(body: Uint8Array, boundary: string): Promise<Form | number> {
  const fields: Record<string, string> = {}
  const files: Promise<Form['files'][number]>[] = []
  return new Promise((resolve) => {
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
    const parser = busboy({ headers, defParamCharset: 'utf8' })
    parser.on('field', (name, value) => (fields[name] ??= value))
    parser.on('file', (_name, stream: Readable, { filename, mimeType }) => {
      stream.on('error', () => undefined)
      if (filename === undefined || filename === '') return void stream.resume()
      files.push(
        (async () => {
          const seen: Uint8Array[] = []
          for await (const chunk of stream) seen.push(chunk as Uint8Array)
          return { filename, contentType: mimeType, sha256: digest(seen) }
        })(),
      )
    })
    parser.on('error', () => resolve(400))
    parser.on('close', () => {
      Promise.all(files).then(
        (all) => resolve({ fields, files: all }),
        () => resolve(400),
      )
    })
    parser.end(Buffer.from(body))
  })
}

function cut(body: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let from = 0, turn = 0; from < body.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    chunks.push(body.subarray(from, from + size))
    from += size
  }
  return chunks
}

const BOUNDARY = '----FormBoundary7MA4YWxk'
// Content that looks like what it is not: beginnings of delimiters, dashes, line breaks.
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .constantFrom(
      '\r',
      '\n',
      '\r\n',
      '-',
      '--',
      '\r\n-',
      '\r\n--',
      `\r\n--${BOUNDARY.slice(0, -1)}`,
      `--${BOUNDARY}`,
      '\r\r\n',
      '\r\n\r\n',
    )
    .map((text) => new TextEncoder().encode(text)),
)
const content = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.concat(pieces))
const name = fc.stringMatching(/^[a-z]{1,8}$/)
const part = fc.oneof(
  fc
    .record({ name, content })
    .map(({ name: field, content: value }) => ({ head: `Content-Disposition: form-data; name="${field}"`, value })),
  fc
    .record({
      name,
      filename: fc.constantFrom('a.bin', 'é "x".pdf', '../../etc/passwd', 'c:\\b.txt', '', 'x;y=z.txt'),
      type: fc.constantFrom('', '\r\nContent-Type: application/pdf', '\r\ncontent-type: text/plain; charset=utf-8'),
      content,
    })
    .map(({ name: field, filename, type, content: value }) => ({
      head: `Content-Disposition: form-data; name="${field}"; filename="${filename.replaceAll('"', '%22')}"${type}`,
      value,
    })),
)
type Part = { readonly head: string; readonly value: Buffer }
const encode = (parts: readonly Part[], preamble = ''): Buffer =>
  Buffer.concat([
    Buffer.from(preamble),
    ...parts.flatMap(({ head, value }) => [
      Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`),
      value,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ])
const sizes = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 5000 })), {
  minLength: 1,
  maxLength: 8,
})
// A delimiter in the content ends it for everybody: such a form is another one.
const isWhole = ({ head, value }: Part): boolean =>
  !Buffer.concat([Buffer.from('\r\n'), value]).includes(`\r\n--${BOUNDARY}`) && !/filename=""/.test(head)

describe('a form', () => {
  test('has the same parts as the library finds, however its bytes are cut [SC 89]', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(part.filter(isWhole), { maxLength: 5 }),
        sizes,
        fc.constantFrom('', 'preamble\r\n', '\r\n'),
        async (parts, cuts, preamble) => {
          const body = encode(parts, preamble)
          const [here, there] = [await ours(cut(body, cuts), BOUNDARY), await library(body, BOUNDARY)]
          expect(here).toEqual(there)
          expect(here).not.toBe(400)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('that is damaged anywhere is refused, or read as the library reads it [SC 89]', async () => {
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.integer({ min: 0, max: 6 }),
      insert: piece,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        sizes,
        damage,
        async (parts, cuts, { at, remove, insert }) => {
          const body = encode(parts)
          const from = Math.floor(at * body.length)
          const damaged = Buffer.concat([body.subarray(0, from), insert, body.subarray(from + remove)])
          const here = await ours(cut(damaged, cuts), BOUNDARY)
          if (typeof here !== 'number') expect(here).toEqual(await library(damaged, BOUNDARY))
        },
      ),
      { numRuns: 400 },
    )
  })

  test('whose file is not read to its end goes on with the next part', async () => {
    const body = encode([
      { head: 'Content-Disposition: form-data; name="a"; filename="a.bin"', value: Buffer.alloc(5000, 1) },
      { head: 'Content-Disposition: form-data; name="late"', value: Buffer.from('yes') },
      { head: 'Content-Disposition: form-data; name="b"; filename="b.bin"', value: Buffer.from('b') },
    ])
    const form = await ours(cut(body, [700]), BOUNDARY, true)
    expect(form).toMatchObject({ fields: { late: 'yes' }, files: [{ filename: 'a.bin' }, { filename: 'b.bin' }] })
  })

  const file = 'Content-Disposition: form-data; name="f"; filename="a.bin"'
  test.each([
    ['without an end', `--XX\r\n${file}\r\n\r\nabc`],
    ['that ends in a head', `--XX\r\n${file}\r\n`],
    ['that never begins', 'nothing of the kind'],
    ['with nothing in it', ''],
    ['whose delimiter goes on', `--XX\r\n${file}\r\n\r\nabc\r\n--XXX\r\n\r\n--XX--\r\n`],
    ['with a part that has no head', '--XX\r\n\r\nabc\r\n--XX--\r\n'],
    ['with a part that has no name', '--XX\r\nContent-Type: text/plain\r\n\r\nabc\r\n--XX--\r\n'],
    ['whose head and delimiter share a line break', `--XX\r\n${file}\r\n\r\n--XX--\r\n`],
    ['with a head that never ends', `--XX\r\n${file}; x="${'a'.repeat(9000)}"\r\n\r\nabc\r\n--XX--\r\n`],
    [
      'with a delimiter inside a head',
      `--XX\r\nContent-Disposition: form-data; name="f"\r\n--XX\r\n${file}\r\n\r\nabc\r\n--XX--\r\n`,
    ],
    ['with a head that is no header', `--XX\r\nno colon here\r\n${file}\r\n\r\nabc\r\n--XX--\r\n`],
    [
      'with a field of more than 64 KiB',
      `--XX\r\nContent-Disposition: form-data; name="f"\r\n\r\n${'a'.repeat(65_537)}\r\n--XX--\r\n`,
    ],
  ])('%s is refused with 400 [SC 89]', async (_name, body) => {
    for (const cuts of [[1], [3], [100_000]]) expect(await ours(cut(Buffer.from(body), cuts), 'XX')).toBe(400)
  })

  test.each(['', '"', 'x'.repeat(71), 'a"b', 'a; boundary=b', '"a\\"b"', 'a\tb', '"ends with a space "'])(
    'with the boundary %j is refused with 400',
    async (boundary) => {
      expect(await ours([Buffer.from('--a--\r\n')], boundary)).toBe(400)
    },
  )

  test('takes a quoted boundary, and other parameters beside it', async () => {
    const body = Buffer.from('--a b\r\nContent-Disposition: form-data; name="f"\r\n\r\nabc\r\n--a b--\r\n')
    expect(await ours([body], '"a b"; charset=utf-8')).toMatchObject({ fields: { f: 'abc' } })
  })
})
