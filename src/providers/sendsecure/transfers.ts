import { Readable } from 'node:stream'
import { z } from 'zod'
import {
  AttachmentCorruptedError,
  ProviderProtocolError,
  ProviderTimeoutError,
  ProviderUnreachableError,
} from '../../errors.js'
import type { Logger, Runtime } from '../../runtime.js'
import { exchange, type ExchangeAnswer } from '../http-exchange.js'
import { CallObserver } from '../http-observe.js'
import { secureContext, type TlsOptions } from '../http-tls.js'
import type { Attachment, UploadedAttachment } from './attachment.js'
import { rejected } from './complaint.js'
import { multipartBody } from './multipart.js'
import type { ProgressCallback } from './progress.js'
import { parsedJson } from './reading.js'

export interface TransferSettings {
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly answerTimeoutMs: number
  readonly retries: number
  readonly allowPrivate: boolean
  readonly tls: Pick<TlsOptions, 'ca'> | undefined
  readonly runtime: Runtime
  readonly logger: Logger
}

/** One upload of several: its place in the list, and who wants to know. */
export interface UploadCall {
  readonly index: number
  readonly report: ProgressCallback
  readonly signal?: AbortSignal | undefined
}

/** A file that is being downloaded. */
export interface Download {
  /** Bytes, when the server tells. */
  readonly size: number | undefined
  readonly contentType: string | undefined
  /** The content, once. Leaving the loop early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>
}

const ANSWER = 64 * 1024

const uploadAnswer = z.object({
  temporary_document: z.object({
    document_guid: z.union([z.string().min(1), z.number()]).transform(String),
    sha: z.unknown().optional(),
    size: z.unknown().optional(),
  }),
})

/** Files to and from the file server. Its addresses are secrets, no header says who is calling. */
export class Transfers {
  readonly #settings: TransferSettings
  readonly #context: ReturnType<typeof secureContext> | undefined

  constructor(settings: TransferSettings) {
    this.#settings = settings
    this.#context = settings.tls && secureContext('SendSecureClient', settings.tls)
  }

  /**
   * Uploads one file. A try that failed on the network or with a 5xx is repeated where the source can be read again: a
   * document that nobody names in a commit or reply is never seen by anyone.
   */
  async upload(url: URL, attachment: Attachment, call: UploadCall): Promise<UploadedAttachment> {
    const observer = this.#observe('upload_attachment', 'POST', '(upload)')
    try {
      const uploaded = await this.#upload(url, attachment, call, observer)
      observer.end()
      return uploaded
    } catch (error) {
      observer.end(error)
      throw error
    }
  }

  /** Opens a download. */
  async download(url: URL, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Download> {
    const observer = this.#observe('download', 'GET', '(file)')
    observer.tries = 1
    const answer = await this.#open(url, headers, signal).catch((error: unknown) => {
      observer.end(error)
      throw error
    })
    observer.status = answer.status
    const announced = Number(answer.header('content-length') ?? Number.NaN)
    return {
      size: Number.isSafeInteger(announced) ? announced : undefined,
      contentType: answer.header('content-type'),
      body: observed(answer.body, observer),
    }
  }

  async #open(url: URL, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<ExchangeAnswer> {
    const answer = await exchange({ ...this.#network(), method: 'GET', url, headers, signal })
    if (answer.status !== 200) throw await refusal(answer, 'GET', '(file)')
    return answer
  }

  async #upload(
    url: URL,
    attachment: Attachment,
    call: UploadCall,
    observer: CallObserver,
  ): Promise<UploadedAttachment> {
    for (let attempt = 1; ; attempt += 1) {
      observer.tries = attempt
      try {
        return await this.#try(url, attachment, { ...call, attempt }, observer)
      } catch (error) {
        if (!attachment.rereadable || attempt > this.#settings.retries || !isRepeatable(error)) throw error
        const pauseMs = this.#pauseMs(attempt)
        observer.repeating(pauseMs, error)
        await this.#settings.runtime.sleep(pauseMs, call.signal)
      }
    }
  }

  #observe(operation: string, method: 'GET' | 'POST', label: string): CallObserver {
    return new CallObserver({ provider: 'sendsecure', ...this.#settings }, { operation, method, label })
  }

  async #try(
    url: URL,
    attachment: Attachment,
    call: UploadCall & { attempt: number },
    observer: CallObserver,
  ): Promise<UploadedAttachment> {
    const { runtime } = this.#settings
    const { filename } = attachment
    const { index, attempt, report, signal } = call
    signal?.throwIfAborted()
    let totalBytes = attachment.size
    const body = await multipartBody(attachment, {
      boundary: `----outofband${Buffer.from(runtime.randomBytes(18)).toString('hex')}`,
      keep: runtime.fetch !== undefined,
      onSent: (sentBytes) => report({ index, filename, sentBytes, totalBytes, attempt }),
    })
    totalBytes = body.fileSize
    try {
      const answer = await exchange({
        ...this.#network(),
        method: 'POST',
        url,
        headers: { accept: 'application/json', 'content-type': body.contentType },
        body: { chunks: body.chunks, length: body.length },
        signal,
      })
      observer.status = answer.status
      if (answer.status < 200 || answer.status > 299) throw await refusal(answer, 'POST', '(upload)')
      return readUpload(await take(answer), attachment, body.digest())
    } finally {
      await body.close()
      release(attachment.source)
    }
  }

  #network() {
    const { connectTimeoutMs, idleTimeoutMs, answerTimeoutMs, allowPrivate, runtime } = this.#settings
    return {
      provider: 'sendsecure',
      connectTimeoutMs,
      idleTimeoutMs,
      answerTimeoutMs,
      allowPrivate,
      context: this.#context,
      fetch: runtime.fetch,
    }
  }

  #pauseMs(attempt: number): number {
    const [random = 0] = this.#settings.runtime.randomBytes(1)
    return 250 * 2 ** (attempt - 1) * (1 + random / 255)
  }
}

function readUpload(
  text: string,
  { filename, contentType }: Attachment,
  sent: { readonly sha256: string; readonly size: number },
): UploadedAttachment {
  const result = uploadAnswer.safeParse(parsedJson(text))
  if (!result.success) throw new ProviderProtocolError('sendsecure', 'the answer to an upload names no document')
  const { document_guid: guid, sha, size } = result.data.temporary_document
  // Neither sha nor size is documented; where a server gives them, they must be right.
  const wrongDigest = typeof sha === 'string' && sha.toLowerCase() !== sent.sha256
  if (wrongDigest || (typeof size === 'number' && size !== sent.size)) throw new AttachmentCorruptedError(guid)
  return Object.freeze({ guid, filename, contentType, ...sent })
}

/** A download is over when its last byte was read, or its reader left. */
async function* observed(body: AsyncIterable<Uint8Array>, observer: CallObserver): AsyncGenerator<Uint8Array> {
  let isWhole = false
  try {
    yield* body
    isWhole = true
    observer.end()
  } catch (error) {
    observer.end(error)
    throw error
  } finally {
    if (!isWhole) observer.end(new Error('left'))
  }
}

function isRepeatable(error: unknown): boolean {
  if (error instanceof ProviderUnreachableError) return !/TLS|CERT|SSL|PRIVATE_ADDRESS/.test(error.reason)
  if (error instanceof ProviderTimeoutError) return true
  return typeof error === 'object' && error !== null && 'status' in error && Number(error.status) >= 500
}

async function refusal(answer: ExchangeAnswer, method: string, path: string): Promise<Error> {
  if (answer.status >= 300 && answer.status < 400) {
    answer.cancel()
    const why = 'the answer is a redirect, which is not followed'
    return new ProviderProtocolError('sendsecure', why, { status: answer.status })
  }
  if (answer.status < 400) {
    answer.cancel()
    return new ProviderProtocolError('sendsecure', 'the answer is not the documented success', {
      status: answer.status,
    })
  }
  // A server that refuses early may also cut the connection; the status is what counts then.
  const body = await take(answer).catch(() => '')
  return rejected({ method, path, status: answer.status, body, secrets: [] })
}

async function take(answer: ExchangeAnswer): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.byteLength
    if (size > ANSWER)
      throw new ProviderProtocolError('sendsecure', 'the answer is too large', { status: answer.status })
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

/** A Node stream that was not read to its end would keep its file or socket open. */
function release(source: unknown): void {
  if (source instanceof Readable) source.destroy()
}
