import { z } from 'zod'
import { AttachmentCorruptedError, InvalidInputError, SafeBoxOutcomeUnknownError } from '../../errors.js'
import { checkAttachment, type Attachment, type AttachmentInput, type UploadedAttachment } from './attachment.js'
import type { CallOptions } from './calls-base.js'
import { ReadingCalls } from './calls-reading.js'
import { checkCommit, checkContent, checkReply, creatorOf, guidOf } from './checks.js'
import { commitOutcome, isUnanswered, readCommit } from './commit.js'
import type { NewReply, SafeBoxCommit, SafeBoxDraft, SafeBoxRef } from './inputs.js'
import { checkLimits } from './limits.js'
import { fileSize } from './multipart.js'
import type { AnnouncedUpload, CommittedSafeBox, InitializedSafeBox, Result } from './objects.js'
import { tracked, type ProgressCallback, type Tracked } from './progress.js'
import { result } from './readers.js'
import { maybe, withSecrets, wireObject } from './reading.js'
import type { EnterpriseSettings } from './settings.js'
import { inParallel } from './in-parallel.js'
import { commitBody, replyBody } from './writing.js'

/** What uploads take. */
export interface UploadOptions extends CallOptions {
  readonly onProgress?: ProgressCallback | undefined
}

export interface SubmitOptions extends UploadOptions {
  /** Uploads at a time. Default 3. */
  readonly concurrency?: number | undefined
  /**
   * Reads the messages of the new SafeBox and compares size and SHA-256 of each document with what was sent. One call
   * more. Default false.
   */
  readonly verifyDigests?: boolean | undefined
}

const initialized = wireObject({
  guid: z.string().min(1),
  public_encryption_key: maybe(z.string()),
  upload_url: z.string().min(1),
})
// Read in two steps: an answer that is cut off is a lost one, and asked for again.
const committed = z.looseObject({ guid: z.string().min(1) })
const announced = wireObject({ temporary_document_guid: maybe(z.string()), upload_url: z.string().min(1) })

/**
 * A client of the SendSecure Web API (v2), with one method for each operation.
 *
 * The application is found through the portal at the first call; the token goes to the application and nowhere else.
 * Only reading calls are repeated by themselves, and uploads whose source can be read again. All methods throw
 * {@link SendSecureRejectedError} when the service refuses, {@link InvalidInputError} before anything is sent, and the
 * errors of the transport (`ProviderTimeoutError`, `ProviderUnreachableError`, `ProviderProtocolError`).
 *
 * @example
 * const { token, userId } = await getUserToken({ ... })
 * const client = new SendSecureClient({ token, userId, enterpriseAccount: 'acme' })
 * const safebox = await client.submitSafebox({
 *   userEmail: 'mira@acme.example',
 *   participants: [{ email: 'ana@client.example', guestOptions: { contactMethods: [{ destination: '+15145550111', destinationType: 'cell_phone' }] } }],
 *   subject: 'Quarterly figures',
 *   attachments: [{ source: '/srv/report.pdf' }],
 * })
 */
export class SendSecureClient extends ReadingCalls {
  /** Allocates a SafeBox: its id, its key and where its files go. Nobody is told of it, and it is never repeated by itself. */
  async initializeSafebox(
    creator: string | { readonly userEmail: string },
    call: CallOptions = {},
  ): Promise<InitializedSafeBox> {
    const userEmail = creatorOf(creator)
    const answer = await this.connection.read(
      {
        operation: 'initialize_safebox',
        method: 'GET',
        path: '/api/v2/safeboxes/new.json',
        query: { user_email: userEmail },
        repeatable: false,
        ...call,
      },
      initialized,
    )
    const { publicEncryptionKey, uploadUrl, ...rest } = answer
    return withSecrets(rest, { publicEncryptionKey, uploadUrl })
  }

  /**
   * Uploads a file for a SafeBox that is not committed yet. The result is a promise that can also be iterated for its progress.
   *
   * @param safebox - from `initializeSafebox`.
   */
  uploadAttachment(
    safebox: { readonly uploadUrl: string },
    attachment: AttachmentInput,
    options: UploadOptions = {},
  ): Tracked<UploadedAttachment> {
    return tracked(
      async (report) => this.#upload(safebox.uploadUrl, checkAttachment(attachment), 0, report, options.signal),
      options.onProgress,
      this.logger,
    )
  }

  /**
   * Sends a SafeBox whose files are uploaded. When the answer is lost, the SafeBox is read by its guid; nothing is sent twice.
   *
   * @throws {@link SafeBoxOutcomeUnknownError} if that does not tell whether it was created.
   */
  async commitSafebox(safebox: SafeBoxCommit, call: CallOptions = {}): Promise<CommittedSafeBox> {
    const json = commitBody(safebox, checkCommit(safebox))
    let answer
    try {
      const path = '/api/v2/safeboxes.json'
      const request = { operation: 'commit_safebox', method: 'POST', path, json, ...call } as const
      answer = await this.connection.read(request, committed)
    } catch (error) {
      call.signal?.throwIfAborted()
      if (!isUnanswered(error)) throw error
      return this.#lookForCommit(safebox, error, call)
    }
    return readCommit(answer, safebox, 'sendsecure')
  }

  /** Checks a draft as far as that is possible without asking anybody. @throws {@link InvalidInputError} */
  checkDraft(draft: Omit<SafeBoxDraft, 'attachments'>): void {
    // Whether files make up for a missing message is known later.
    checkContent(draft, 1)
  }

  /** `commitSafebox` for a draft whose files were uploaded one by one. */
  async commitUploaded(
    draft: Omit<SafeBoxDraft, 'attachments'>,
    parts: Pick<SafeBoxCommit, 'guid' | 'publicEncryptionKey' | 'securityProfileId' | 'attachments'>,
    call: CallOptions = {},
  ): Promise<CommittedSafeBox> {
    return this.commitSafebox({ ...draft, ...parts }, call)
  }

  /**
   * Sends a SafeBox: checks it, finds its security profile, uploads its files, commits it. If anything fails before the
   * commit, nobody was told of anything and nothing has to be undone. The result is a promise that can also be iterated for its progress.
   *
   * The enterprise's file limits are checked before the first byte when its settings had to be read anyway, that is
   * without a `securityProfileId`; the service checks them in any case.
   */
  submitSafebox(draft: SafeBoxDraft, options: SubmitOptions = {}): Tracked<CommittedSafeBox> {
    return tracked(async (report) => this.#submit(draft, options, report), options.onProgress, this.logger)
  }

  /** Asks where a file of `size` bytes for a reply goes. `reply` does this by itself. */
  async createUpload(
    safebox: SafeBoxRef,
    upload: { readonly size: number; readonly publicEncryptionKey?: string | undefined },
    call: CallOptions = {},
  ): Promise<AnnouncedUpload> {
    const { size, publicEncryptionKey } = upload
    const json = {
      temporary_document: { document_file_size: size },
      // "Not in several pieces"; it says nothing about the encoding, and the other value is not documented.
      multipart: false,
      ...(publicEncryptionKey !== undefined && { public_encryption_key: publicEncryptionKey }),
    }
    const path = `${this.safeboxPath(safebox)}/uploads.json`
    const request = { operation: 'create_upload', method: 'POST', path, json, ...call } as const
    const { uploadUrl, ...rest } = await this.connection.read(request, announced)
    return withSecrets(rest, { uploadUrl })
  }

  /**
   * Replies to an open SafeBox. Attachments of unknown size are refused: the service wants their sizes first. The result
   * is a promise that can also be iterated for its progress.
   */
  reply(safebox: SafeBoxRef, reply: NewReply, options: Omit<SubmitOptions, 'verifyDigests'> = {}): Tracked<Result> {
    return tracked(async (report) => this.#reply(safebox, reply, options, report), options.onProgress, this.logger)
  }

  /**
   * Checks a name and a size against the enterprise's settings: extension filter and maximum size. Nothing is asked.
   *
   * @param size - bytes; undefined when not known yet.
   * @throws {@link AttachmentRefusedError}
   */
  checkLimits(settings: EnterpriseSettings, filename: string, size?: number): void {
    checkLimits(settings, filename, size)
  }

  /**
   * Compares what the service says of its documents with what was sent.
   *
   * @throws {@link AttachmentCorruptedError} if a document is missing, or its size or SHA-256 differ.
   */
  async verifyAttachments(
    safebox: SafeBoxRef,
    attachments: readonly UploadedAttachment[],
    call: CallOptions = {},
  ): Promise<void> {
    const messages = await this.getSafeboxMessages(safebox, call)
    const documents = new Map(
      messages.flatMap((message) => message.documents).map((document) => [document.id, document]),
    )
    for (const { guid, sha256, size } of attachments) {
      const document = documents.get(guid)
      if (document?.sha !== sha256 || (document.size !== undefined && document.size !== size))
        throw new AttachmentCorruptedError(guid)
    }
  }

  async #submit(draft: SafeBoxDraft, options: SubmitOptions, report: ProgressCallback): Promise<CommittedSafeBox> {
    const call = { signal: options.signal }
    const { attachments: inputs = [], securityProfileId: chosen, ...content } = draft
    const attachments = inputs.map(checkAttachment)
    checkContent(draft, attachments.length)
    const limit = concurrencyOf(options)
    const securityProfileId = chosen ?? (await this.#defaultProfile(draft.userEmail, attachments, call))
    const { guid, publicEncryptionKey, uploadUrl } = await this.initializeSafebox(draft.userEmail, call)
    const uploaded = await inParallel(attachments, limit, options.signal, (attachment, index, signal) =>
      this.#upload(uploadUrl, attachment, index, report, signal),
    )
    const commit = { ...content, guid, publicEncryptionKey, securityProfileId, attachments: uploaded }
    const safebox = await this.commitSafebox(commit, call)
    if (options.verifyDigests && uploaded.length > 0) await this.verifyAttachments(safebox, uploaded, call)
    return safebox
  }

  async #defaultProfile(userEmail: string, attachments: readonly Attachment[], call: CallOptions): Promise<number> {
    const [settings, profiles] = await Promise.all([
      this.getEnterpriseSettings(call),
      this.getSecurityProfiles(userEmail, call),
    ])
    const profile = profiles.find(({ id }) => id === settings.defaultSecurityProfileId)
    if (!profile) throw new InvalidInputError('securityProfileId', 'No Security Profile configured')
    for (const attachment of attachments)
      checkLimits(settings, attachment.filename, attachment.size ?? (await fileSize(attachment)))
    return profile.id
  }

  async #reply(
    safebox: SafeBoxRef,
    reply: NewReply,
    options: SubmitOptions,
    report: ProgressCallback,
  ): Promise<Result> {
    const path = `${this.safeboxPath(guidOf(safebox))}/messages.json`
    checkReply(reply)
    const attachments = await Promise.all((reply.attachments ?? []).map(async (input) => sized(checkAttachment(input))))
    const publicEncryptionKey = keyOf(safebox, reply)
    const uploaded = await inParallel(
      attachments,
      concurrencyOf(options),
      options.signal,
      async (file, index, signal) => {
        const { size } = file
        const { uploadUrl } = await this.createUpload(safebox, { size, publicEncryptionKey }, { signal })
        return this.#upload(uploadUrl, file, index, report, signal)
      },
    )
    const ids = uploaded.map(({ guid }) => guid)
    const json = replyBody(reply, ids)
    return this.connection.read({ operation: 'reply', method: 'POST', path, json, signal: options.signal }, result)
  }

  async #upload(
    uploadUrl: string,
    attachment: Attachment,
    index: number,
    report: ProgressCallback,
    signal: AbortSignal | undefined,
  ): Promise<UploadedAttachment> {
    const url = this.connection.trustedUrl(uploadUrl, 'the upload address')
    return this.transfers.upload(url, attachment, { index, report, signal })
  }

  async #lookForCommit(safebox: SafeBoxCommit, cause: unknown, call: CallOptions): Promise<CommittedSafeBox> {
    const found = await commitOutcome(() => this.getSafeboxInfo(safebox.guid, ['security_options'], call), {
      sleep: async (ms) => this.runtime.sleep(ms, call.signal),
    })
    if (!found) throw new SafeBoxOutcomeUnknownError(safebox.guid, { cause })
    const { publicEncryptionKey, userEmail } = safebox
    return withSecrets(
      { ...found, userEmail: found.userEmail ?? userEmail },
      { encryptionKey: undefined, previewUrl: undefined, publicEncryptionKey },
    )
  }
}

function keyOf(safebox: SafeBoxRef, reply: NewReply): string | undefined {
  return reply.publicEncryptionKey ?? (typeof safebox === 'object' ? safebox.publicEncryptionKey : undefined)
}

function concurrencyOf({ concurrency = 3 }: SubmitOptions): number {
  if (!Number.isSafeInteger(concurrency) || concurrency < 1)
    throw new InvalidInputError('concurrency', 'concurrency must be a whole number from 1')
  return concurrency
}

async function sized(attachment: Attachment): Promise<Attachment & { readonly size: number }> {
  const size = attachment.size ?? (await fileSize(attachment))
  if (size === undefined) throw new InvalidInputError('size', 'a reply needs the size of each of its attachments')
  return { ...attachment, size }
}
