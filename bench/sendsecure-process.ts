/**
 * The processes of the SendSecure figures. Each says `ready` with what the others need, does its work when it is told to,
 * says `done`, and stays until its input ends, so that its peak memory can be read from outside.
 */
import { createServer, request, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { sendAttachments, type AttachmentDraft, type SendAttachmentsOptions } from 'passport-outofband/middleware'
import { startSandbox } from 'passport-outofband/sandbox'
import { getUserToken, SendSecureClient } from 'passport-outofband/sendsecure'

const [role = '', ...words] = process.argv.slice(2)
let finish = async (): Promise<void> => undefined
const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`)

async function client(): Promise<{ client: SendSecureClient; userEmail: string }> {
  const [endpoint = '', enterpriseAccount = '', username = '', password = '', userEmail = ''] = words
  const device = { deviceId: 'bench', deviceName: 'Bench' }
  const { token, userId } = await getUserToken({ endpoint, enterpriseAccount, username, password, ...device })
  return { client: new SendSecureClient({ endpoint, enterpriseAccount, token, userId }), userEmail }
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

interface Uploaded {
  readonly temporary_document: { readonly document_guid: string }
}

type Nowhere = SendAttachmentsOptions<AttachmentDraft, { readonly guid: string }>['client']

/** What each process does with a line of its input. */
const roles: Readonly<Record<string, () => Promise<(line: string) => Promise<object>>>> = {
  // The service: uploads are parsed, hashed and written to disk.
  sandbox: async () => {
    const sandbox = await startSandbox()
    const { sendsecure } = sandbox
    // Gigabytes were written to disk; they go when the input ends, also when the bench was killed.
    finish = () => sandbox.close()
    const { url, enterpriseAccount, username, password, userEmail } = sendsecure
    say({ account: [url, enterpriseAccount, username, password, userEmail] })
    return async () => ({ count: sendsecure.safeboxes().length })
  },
  // The client: told a path, it uploads that file; told nothing, it only sits there.
  upload: async () => {
    const { client: own, userEmail } = await client()
    const box = await own.initializeSafebox(userEmail)
    say({ uploadUrl: box.uploadUrl })
    return async (path) => {
      if (path === '') return {}
      const begin = performance.now()
      const { size } = await own.uploadAttachment(box, { source: path })
      return { size, milliseconds: performance.now() - begin }
    }
  },
  // An application with the middleware.
  middleware: async () => {
    const { client: own, userEmail } = await client()
    const sent: string[] = []
    const handle = sendAttachments({
      client: own,
      draft: () => ({ userEmail, participants: [{ email: 'ana@client.example' }], message: 'x' }),
      verifyDigests: false,
      onSent: ({ guid }, _req, res) => {
        sent.push(guid)
        res.end()
      },
    })
    say({ url: await listen((req, res) => handle(req, res, (error) => res.writeHead(500).end(String(error)))) })
    return async () => {
      // The standard profile discards the content when a SafeBox is closed.
      for (const guid of sent.splice(0)) await own.closeSafebox(guid)
      return {}
    }
  },
  // The same two hops, and nothing in between: what comes in goes out.
  pipe: async () => {
    const { client: own, userEmail } = await client()
    const left: (() => Promise<void>)[] = []
    const url = await listen((req, res) => {
      void own.initializeSafebox(userEmail).then(({ guid, uploadUrl, publicEncryptionKey }) => {
        const { 'content-type': type, 'content-length': length } = req.headers
        const outgoing = request(uploadUrl, {
          method: 'POST',
          headers: { 'content-type': type, 'content-length': length },
        })
        outgoing.on('response', (answer) => {
          left.push(async () => {
            const { temporary_document: document } = JSON.parse(await text(answer)) as Uploaded
            const participants = [{ email: 'ana@client.example' }]
            const documentIds = [document.document_guid]
            const key = { guid, publicEncryptionKey, securityProfileId: 21 }
            await own.commitSafebox({ ...key, userEmail, participants, documentIds })
            await own.closeSafebox(guid)
          })
          res.writeHead(answer.statusCode ?? 500).end()
        })
        req.pipe(outgoing)
      })
    })
    say({ url })
    return async () => {
      for (const tidy of left.splice(0)) await tidy()
      return {}
    }
  },
  // The form's parser alone: what comes out of it goes nowhere. Beside it, the same request without a parser.
  parser: async () => {
    const uploadAttachment: Nowhere['uploadAttachment'] = async (_place, { source, release, filename }) => {
      for await (const chunk of source) release?.(chunk)
      return { guid: 'x', filename, contentType: 'x', size: 0, sha256: 'x' }
    }
    const nothing = async (): Promise<object> => ({})
    const nowhere: Nowhere = {
      getEnterpriseSettings: nothing,
      getDefaultSecurityProfile: async () => ({ id: 1 }),
      initializeSafebox: async () => ({ guid: 'x', publicEncryptionKey: undefined, uploadUrl: 'x' }),
      uploadAttachment,
      commitUploaded: async () => ({ guid: 'x' }),
      checkDraft: () => undefined,
      checkLimits: () => undefined,
      verifyAttachments: async () => undefined,
    }
    const handle = sendAttachments({ client: nowhere, draft: () => ({ userEmail: 'x' }) })
    const parsed = await listen((req, res) => handle(req, res, (error) => res.writeHead(500).end(String(error))))
    const plain = await listen((req, res) => void req.on('end', () => res.end()).resume())
    say({ parsed, plain })
    return async () => {
      const { user, system } = process.cpuUsage()
      return { milliseconds: (user + system) / 1000 }
    }
  },
}

const work = await roles[role]?.()
if (!work) throw new Error(`there is no role ${role}`)
for await (const line of createInterface({ input: process.stdin })) say({ done: true, ...(await work(line)) })
await finish()
process.exit(0)
