/** What {@link sendAttachments} needs of a client, so that this room does not have to know the provider. */

interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** The fields of a form, each once; of a field that came twice, the first. */
export interface SentForm {
  readonly fields: Readonly<Partial<Record<string, string>>>
}

/** What is read of a draft here; the rest is the client's. */
export interface AttachmentDraft {
  /** The creator: a SendSecure user. */
  readonly userEmail: string
  /** Default: the enterprise's default profile. */
  readonly securityProfileId?: number | undefined
}

/** The enterprise's settings, as far as they are read here: not at all. They are handed back to `checkLimits`. */
export type AttachmentSettings = object

interface UploadedFile {
  readonly guid: string
  readonly filename: string
  readonly contentType: string
  readonly size: number
  readonly sha256: string
}

/** The part of `SendSecureClient` that sends. */
export interface AttachmentClient<Content, Box> {
  getEnterpriseSettings(call?: CallOptions): Promise<AttachmentSettings>
  getDefaultSecurityProfile(userEmail: string, call?: CallOptions): Promise<{ readonly id: number } | undefined>
  checkLimits(settings: AttachmentSettings, filename: string, size?: number): void
  initializeSafebox(
    userEmail: string,
    call?: CallOptions,
  ): Promise<{ readonly guid: string; readonly publicEncryptionKey: string | undefined; readonly uploadUrl: string }>
  uploadAttachment(
    safebox: { readonly uploadUrl: string },
    attachment: {
      readonly source: AsyncIterable<Uint8Array>
      readonly filename: string
      readonly contentType?: string | undefined
      readonly size?: number | undefined
      /** To be called with each chunk that was sent and that nobody needs any more, or never. */
      readonly release?: ((chunk: Uint8Array) => void) | undefined
    },
    options?: CallOptions & {
      readonly onProgress?: ((progress: { readonly filename: string; readonly sentBytes: number }) => void) | undefined
    },
  ): PromiseLike<UploadedFile>
  checkDraft(content: Content): void
  commitUploaded(
    content: Content,
    parts: {
      readonly guid: string
      readonly publicEncryptionKey: string | undefined
      readonly securityProfileId: number
      readonly attachments: readonly UploadedFile[]
    },
    call?: CallOptions,
  ): Promise<Box>
  verifyAttachments(safebox: Box, attachments: readonly UploadedFile[], call?: CallOptions): Promise<void>
}
