import { z } from 'zod'
import { functionOption, loggerOption, objectWith, runtimeOption } from '../options.js'
import type { Logger, Runtime } from '../runtime.js'
import type { AttachmentClient, AttachmentDraft, SentForm } from './attachment-client.js'
import type { OnRefused } from './http-answer.js'
import { defaultSubject, type HttpRequest, type HttpResponse, type Next, type OfUser } from './http-request.js'

/** What {@link sendAttachments} takes. */
export interface SendAttachmentsOptions<Content extends AttachmentDraft, Box extends { readonly guid: string }> {
  /** A `SendSecureClient`, or anything with its methods. */
  readonly client: AttachmentClient<Content, Box>
  /**
   * Who gets it, and how. Called once, when the first file begins: the form's fields must stand before its files.
   * Recipients come from here and not from the form, unless this takes them from there.
   */
  readonly draft: (req: HttpRequest, form: SentForm) => Content | Promise<Content>
  /**
   * What is known of a file beforehand: compared while it streams, and nothing is sent if it differs. With a size the upload
   * has a `Content-Length`. Behind `requireApproval`, `filename`, `size` and `sha256` of what was approved are compared without being
   * given here.
   */
  readonly expected?:
    | ((
        req: HttpRequest,
        file: { readonly index: number; readonly filename: string; readonly fields: SentForm['fields'] },
      ) => { readonly size?: number | undefined; readonly sha256?: string | undefined } | undefined)
    | undefined
  /** Answers when the SafeBox is sent. Default: 201 with `guid` and `documents` as JSON. */
  readonly onSent?:
    ((safebox: Box, req: HttpRequest, res: HttpResponse, next: Next) => void | Promise<void>) | undefined
  /**
   * Answers a browser that is refused with a page, such as `(refusal, req, res) => res.render('refused', { refusal })`; the
   * status is set already. Default: the problem as JSON.
   */
  readonly onRefused?: OnRefused | undefined
  readonly onProgress?:
    | ((
        progress: { readonly index: number; readonly filename: string; readonly sentBytes: number },
        req: HttpRequest,
      ) => void)
    | undefined
  /** Files in one form. Default 10. */
  readonly maxFiles?: number | undefined
  /** Bytes of one file. Default: what the enterprise allows. */
  readonly maxFileBytes?: number | undefined
  /** Fields in one form. Default 50, each of 64 KiB at most. */
  readonly maxFields?: number | undefined
  /** For how many seconds the enterprise's settings are kept. Default 300. */
  readonly settingsMaxAgeSeconds?: number | undefined
  /** Whether the service's digests of what it stored are compared with what was sent. Default true. */
  readonly verifyDigests?: boolean | undefined
  /** The application's own user id, for the records. Default `user.id`. */
  readonly subject?: OfUser<string | undefined> | undefined
  readonly logger?: Logger | undefined
  readonly runtime?: Partial<Runtime> | undefined
}

const count = z.int({ error: 'give a whole number' }).min(1)
const methods = [
  'checkDraft',
  'checkLimits',
  'commitUploaded',
  'getDefaultSecurityProfile',
  'getEnterpriseSettings',
  'initializeSafebox',
  'uploadAttachment',
  'verifyAttachments',
] as const

/** @internal */
export function optionsSchema<Content extends AttachmentDraft, Box extends { readonly guid: string }>() {
  type Options = SendAttachmentsOptions<Content, Box>
  return z.strictObject({
    client: objectWith<AttachmentClient<Content, Box>>(methods, 'give a SendSecureClient'),
    draft: functionOption<Options['draft']>('give a function that says who gets it'),
    expected: functionOption<NonNullable<Options['expected']>>().optional(),
    onSent: functionOption<NonNullable<Options['onSent']>>().optional(),
    onRefused: functionOption<OnRefused>().optional(),
    onProgress: functionOption<NonNullable<Options['onProgress']>>().optional(),
    maxFiles: count.optional(),
    maxFileBytes: count.optional(),
    maxFields: count.optional(),
    settingsMaxAgeSeconds: z.int().min(0).optional(),
    verifyDigests: z.boolean().optional(),
    subject: functionOption<OfUser<string | undefined>>().default(() => defaultSubject),
    logger: loggerOption,
    runtime: runtimeOption,
  })
}

/** @internal */
export type SendAttachmentsSettings<Content extends AttachmentDraft, Box extends { readonly guid: string }> = z.output<
  ReturnType<typeof optionsSchema<Content, Box>>
>
