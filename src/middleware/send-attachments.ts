import type { IncomingMessage } from 'node:http'
import { AttachmentRefusedError, ConfigurationError, InvalidInputError } from '../errors.js'
import { parseOptions } from '../options.js'
import { resolveRuntime } from '../runtime.js'
import { approvedFile, type ApprovedFile } from './approved-file.js'
import type { AttachmentClient, AttachmentDraft, AttachmentSettings, SentForm } from './attachment-client.js'
import { readForm, type FormFile, type FormLimits } from './attachment-form.js'
import { knocking } from './knocking.js'
import { ChunkMemory } from './chunk-memory.js'
import { drain, refusalFor } from './attachment-refusals.js'
import { answerJson, answerRefusal } from './http-answer.js'
import { AttachmentRecord } from './attachment-events.js'
import { optionsSchema, type SendAttachmentsOptions, type SendAttachmentsSettings } from './send-attachments-options.js'
import { headerOf, type HttpRequest, type HttpResponse, type Next } from './http-request.js'

export type { SendAttachmentsOptions } from './send-attachments-options.js'

/**
 * Takes a browser's upload (multipart/form-data) and streams it through into a SafeBox: nothing is written to disk, and a
 * slow file server slows the browser down. Name and size are checked against the enterprise's own settings before the
 * first byte goes out. Recipients hear of it when the form has come completely; if the browser goes away before, the upload
 * is aborted and nothing is sent. Mount it before any parser of multipart bodies; `requireFactor` may stand in front.
 *
 * Answers 400, 413, 415 or 422 (a problem, RFC 9457, or what `onRefused` makes of it) when a file is refused; every other
 * error goes to `next`.
 *
 * @throws {@link InvalidOptionError}
 *
 * @example
 * app.post('/documents', requireFactor({ ... }), sendAttachments({
 *   client,
 *   draft: (req, { fields }) => ({ userEmail: req.user.email, participants: [advisor], subject: fields.subject }),
 * }))
 */
export function sendAttachments<Content extends AttachmentDraft, Box extends { readonly guid: string }>(
  options: SendAttachmentsOptions<Content, Box>,
): (req: HttpRequest & IncomingMessage, res: HttpResponse, next: Next) => void {
  const settings = parseOptions(optionsSchema<Content, Box>(), options, 'sendAttachments')
  const sender = new Sender<Content, Box>(settings)
  return function sendAttachmentsMiddleware(req, res, next) {
    sender.handle(req, res, next).catch(next)
  }
}

class Sender<Content extends AttachmentDraft, Box extends { readonly guid: string }> {
  readonly #options: SendAttachmentsSettings<Content, Box>
  readonly #limits: FormLimits
  #known: { readonly settings: Promise<AttachmentSettings>; readonly readAt: number } | undefined

  constructor(options: SendAttachmentsSettings<Content, Box>) {
    this.#options = options
    this.#limits = { files: options.maxFiles ?? 10, fields: options.maxFields ?? 50 }
  }

  async handle(req: HttpRequest & IncomingMessage, res: HttpResponse, next: Next): Promise<void> {
    const { onRefused } = this.#options
    if (!/^multipart\/form-data\s*;/i.test(headerOf(req, 'content-type') ?? '')) {
      await answerRefusal({ status: 415, title: 'This is not a form with files' }, { req, res, next }, onRefused)
      return
    }
    if (req.readableEnded || req.readableDidRead)
      throw new ConfigurationError('the body is read already; mount sendAttachments before any parser of bodies')
    const gone = new AbortController()
    // That of the response tells it also when the form has come completely and waits here to be passed on.
    res.on('close', () => gone.abort(new InvalidInputError('body', 'the browser went away')))
    const record = this.#record(req)
    try {
      const sent = await this.#send(req, res, gone.signal, record)
      await this.#answer(sent, req, res, next)
    } catch (error) {
      const refusal = refusalFor(error)
      record.end(gone.signal.aborted ? 'left' : refusal ? 'refused' : 'failed', refusal ?? error)
      // Nobody is there to read an answer.
      if (gone.signal.aborted) return
      drain(req, res)
      if (!refusal || res.headersSent) throw error
      await answerRefusal(refusal, { req, res, next }, onRefused)
    }
  }

  #record(req: HttpRequest): AttachmentRecord {
    const { subject, logger, runtime } = this.#options
    const user = req.user === undefined || req.user === null ? undefined : subject(req.user, req)
    return new AttachmentRecord(user, logger, resolveRuntime(runtime).now)
  }

  async #send(
    req: HttpRequest & IncomingMessage,
    res: HttpResponse,
    signal: AbortSignal,
    record: AttachmentRecord,
  ): Promise<{ safebox: Box; documents: readonly Uploaded[] }> {
    const { client, draft, verifyDigests = true } = this.#options
    const approved = approvedFile(req)
    const enterprise = await this.#settings()
    let content: Content | undefined
    let place: Awaited<ReturnType<AttachmentClient<Content, Box>['initializeSafebox']>> | undefined
    let profile: number | undefined
    const begin = async (form: SentForm): Promise<void> => {
      content = await draft(req, form)
      client.checkDraft(content)
      profile = content.securityProfileId ?? (await client.getDefaultSecurityProfile(content.userEmail, { signal }))?.id
      if (profile === undefined) throw new InvalidInputError('securityProfileId', 'No Security Profile configured')
      place = await client.initializeSafebox(content.userEmail, { signal })
      record.guid = place.guid
    }
    const documents: Uploaded[] = []
    const form = await readForm(req, this.#limits, knocking(req, res), async (file, fields) => {
      client.checkLimits(enterprise, file.filename)
      if (content === undefined) await begin({ fields })
      if (place) {
        const context = { req, fields, enterprise, signal, approved, index: documents.length }
        const uploaded = await this.#upload(place, file, context)
        record.uploaded(uploaded.size)
        documents.push(uploaded)
      }
    })
    // What was approved is a file, and not a SafeBox without one.
    if (approved && documents.length === 0) throw new AttachmentRefusedError('digest', approved.filename ?? '')
    if (content === undefined) await begin(form)
    signal.throwIfAborted()
    if (content === undefined || place === undefined || profile === undefined)
      throw new ConfigurationError('no draft was given')
    const { guid, publicEncryptionKey } = place
    const parts = { guid, publicEncryptionKey, securityProfileId: profile, attachments: documents }
    const safebox = await client.commitUploaded(content, parts)
    if (verifyDigests && documents.length > 0) await client.verifyAttachments(safebox, documents)
    record.end('sent')
    return { safebox, documents }
  }

  async #upload(
    place: { readonly uploadUrl: string },
    file: FormFile,
    { req, fields, enterprise, signal, approved, index }: UploadContext,
  ): Promise<Uploaded> {
    const { client, expected, onProgress, maxFileBytes = Number.POSITIVE_INFINITY } = this.#options
    const { filename, contentType } = file
    const known = expected?.(req, { index, filename, fields })
    const check = (size: number): void => {
      client.checkLimits(enterprise, filename, size)
      if (size > maxFileBytes) throw new AttachmentRefusedError('size', filename)
    }
    const size = known?.size ?? approved?.size
    if (size !== undefined) check(size)
    if (approved && !isApproved(approved, filename, size)) throw new AttachmentRefusedError('digest', filename)
    const source = limited(file.bytes, check)
    const uploaded = await client.uploadAttachment(
      place,
      { source, filename, contentType, size, release: releaser(req) },
      { signal, ...(onProgress && { onProgress: (progress) => onProgress({ ...progress, index }, req) }) },
    )
    for (const sha256 of [known?.sha256, approved?.sha256]) {
      if (sha256 !== undefined && sha256.toLowerCase() !== uploaded.sha256)
        throw new AttachmentRefusedError('digest', filename)
    }
    return uploaded
  }

  async #settings(): Promise<AttachmentSettings> {
    const maxAgeMs = (this.#options.settingsMaxAgeSeconds ?? 300) * 1000
    if (!this.#known || performance.now() - this.#known.readAt >= maxAgeMs) {
      const settings = this.#options.client.getEnterpriseSettings()
      this.#known = { settings, readAt: performance.now() }
      settings.catch(() => (this.#known = undefined))
    }
    return this.#known.settings
  }

  async #answer(
    { safebox, documents }: { safebox: Box; documents: readonly Uploaded[] },
    req: HttpRequest,
    res: HttpResponse,
    next: Next,
  ): Promise<void> {
    const { onSent } = this.#options
    if (onSent) return onSent(safebox, req, res, next)
    answerJson(res, 201, {
      guid: safebox.guid,
      documents: documents.map(({ guid, filename, size, sha256 }) => ({ guid, filename, size, sha256 })),
    })
  }
}

type Uploaded = Awaited<ReturnType<AttachmentClient<AttachmentDraft, { readonly guid: string }>['uploadAttachment']>>

interface UploadContext {
  readonly req: HttpRequest & IncomingMessage
  readonly fields: SentForm['fields']
  readonly enterprise: AttachmentSettings
  readonly signal: AbortSignal
  readonly approved: ApprovedFile | undefined
  readonly index: number
}

function isApproved(approved: ApprovedFile, filename: string, size: number | undefined): boolean {
  const isName = approved.filename === undefined || approved.filename === filename
  return isName && (approved.size === undefined || approved.size === size)
}

function releaser(req: IncomingMessage): (chunk: Uint8Array) => void {
  const memory = new ChunkMemory()
  return (chunk) => {
    // Whoever else listens may keep what comes.
    if (req.listenerCount('data') === 1) memory.free(chunk)
  }
}

async function* limited(bytes: AsyncIterable<Uint8Array>, check: (size: number) => void): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.byteLength
    check(size)
    yield chunk
  }
}
