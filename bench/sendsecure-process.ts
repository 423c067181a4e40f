/**
 * The processes of the SendSecure figures. Each says `ready` with what the others need, does its work when it is told to,
 * says `done`, and stays until its input ends, so that its peak memory can be read from outside.
 */
import { createReadStream } from 'node:fs'
import { createServer, request, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import busboy from 'busboy'
import { sendAttachments } from 'passport-outofband/middleware'
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
  // The parser alone, on a form of one file.
  parser: async () => {
    say({})
    return async (path) => {
      const begin = process.cpuUsage()
      const parser = busboy({
        headers: { 'content-type': 'multipart/form-data; boundary=XX' },
        highWaterMark: 256 * 1024,
        fileHwm: 256 * 1024,
      })
      parser.on('file', (_name, stream) => stream.resume())
      parser.write('--XX\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n')
      await pipeline(createReadStream(path, { highWaterMark: 64 * 1024 }), parser, { end: false })
      const parsed = process.cpuUsage(begin)
      const plain = process.cpuUsage()
      await pipeline(
        createReadStream(path, { highWaterMark: 64 * 1024 }),
        new Writable({ write: (_chunk, _encoding, done) => done() }),
      )
      const read = process.cpuUsage(plain)
      return { milliseconds: (parsed.user + parsed.system - read.user - read.system) / 1000 }
    }
  },
}

const work = await roles[role]?.()
if (!work) throw new Error(`there is no role ${role}`)
for await (const line of createInterface({ input: process.stdin })) say({ done: true, ...(await work(line)) })
await finish()
process.exit(0)
