import { z } from 'zod'
import { InvalidInputError, ProviderProtocolError } from '../../errors.js'
import { encodeSegment } from '../http.js'
import type { CallOptions } from './calls-base.js'
import { SafeBoxCalls } from './calls-safebox.js'
import { documentIdOf } from './checks.js'
import type { DocumentRef, SafeBoxFilter, SafeBoxRef } from './inputs.js'
import type {
  DownloadActivity,
  EventHistory,
  Message,
  Participant,
  SafeBox,
  SafeBoxPage,
  SecurityOptions,
} from './objects.js'
import * as readers from './readers.js'
import type { Download } from './transfers.js'
import { infoSections, statusFilters, type InfoSection } from './wire.js'

const urlAnswer = z.object({ url: z.string().min(1) })
const AUDIT_RECORD_BYTES = 64 * 1024 * 1024

/** Operations that read a SafeBox, and the list of them. */
export abstract class ReadingCalls extends SafeBoxCalls {
  /** A SafeBox with the sections asked for; all of them if none are named. */
  async getSafeboxInfo(
    safebox: SafeBoxRef,
    sections: readonly InfoSection[] = [],
    call: CallOptions = {},
  ): Promise<SafeBox> {
    const unknown = sections.find((section) => !infoSections.includes(section))
    if (unknown !== undefined) throw new InvalidInputError('sections', `sections are: ${infoSections.join(', ')}`)
    const query = sections.length === 0 ? {} : { sections: sections.join(',') }
    const request = {
      operation: 'get_safebox_info',
      method: 'GET',
      path: `${this.safeboxPath(safebox)}.json`,
      query,
    } as const
    const answer = await this.connection.read({ ...request, ...call }, z.object({ safebox: readers.safeBox }))
    return answer.safebox
  }

  /** The SafeBox with everything that can be read of it. */
  async getSafebox(guid: string, call: CallOptions = {}): Promise<SafeBox> {
    return this.getSafeboxInfo(guid, [], call)
  }

  async getSafeboxParticipants(safebox: SafeBoxRef, call: CallOptions = {}): Promise<readonly Participant[]> {
    return (await this.#section(safebox, 'participants', z.array(readers.participant), call)).participants
  }

  async getSafeboxMessages(safebox: SafeBoxRef, call: CallOptions = {}): Promise<readonly Message[]> {
    return (await this.#section(safebox, 'messages', z.array(readers.message), call)).messages
  }

  async getSafeboxSecurityOptions(safebox: SafeBoxRef, call: CallOptions = {}): Promise<SecurityOptions> {
    return (await this.#section(safebox, 'security_options', readers.securityOptions, call)).security_options
  }

  async getSafeboxDownloadActivity(safebox: SafeBoxRef, call: CallOptions = {}): Promise<DownloadActivity> {
    return (await this.#section(safebox, 'download_activity', readers.downloadActivity, call)).download_activity
  }

  async getSafeboxEventHistory(safebox: SafeBoxRef, call: CallOptions = {}): Promise<readonly EventHistory[]> {
    return (await this.#section(safebox, 'event_history', z.array(readers.eventHistory), call)).event_history
  }

  /** The address of the audit record of a closed SafeBox. */
  async getAuditRecordUrl(safebox: SafeBoxRef, call: CallOptions = {}): Promise<string> {
    const path = `${this.safeboxPath(safebox)}/audit_record_pdf.json`
    return (await this.connection.read({ operation: 'get_audit_record_url', method: 'GET', path, ...call }, urlAnswer))
      .url
  }

  /** The audit record itself, as bytes, 64 MiB at most. The token goes along only if the address is the application's own. */
  async getAuditRecordPdf(safebox: SafeBoxRef, call: CallOptions = {}): Promise<Uint8Array> {
    const { base, transport } = await this.connection.application(call.signal)
    const given = await this.getAuditRecordUrl(safebox, call)
    const url = this.connection.trustedUrl(secured(given, base), 'the audit record', base)
    if (url.origin !== base.origin)
      return collect(await this.transfers.download(url, { accept: 'application/pdf' }, call.signal))
    const response = await transport.request({
      operation: 'get_audit_record_pdf',
      method: 'GET',
      url: url.href,
      headers: { accept: 'application/pdf' },
      maxResponseBytes: AUDIT_RECORD_BYTES,
      repeatable: true,
      ...call,
    })
    if (response.status !== 200) throw transport.refusal(response)
    return response.bytes
  }

  /**
   * A download link for a document, good for a short time and for anyone who has it.
   *
   * @param options - `userEmail`: the SafeBox's user; not needed if the SafeBox object knows it.
   */
  async getFileUrl(
    safebox: SafeBoxRef,
    document: DocumentRef,
    options: CallOptions & { readonly userEmail?: string | undefined } = {},
  ): Promise<string> {
    const id = encodeSegment('document', documentIdOf(document))
    const path = `${this.safeboxPath(safebox)}/documents/${id}/url.json`
    const query = { user_email: this.userEmailOf(safebox, options.userEmail) }
    const request = { operation: 'get_file_url', method: 'GET', path, query, signal: options.signal } as const
    return (await this.connection.read(request, urlAnswer)).url
  }

  /** Opens a document for reading, by `getFileUrl` and a plain GET without the token. */
  async downloadFile(
    safebox: SafeBoxRef,
    document: DocumentRef,
    options: CallOptions & { readonly userEmail?: string | undefined } = {},
  ): Promise<Download> {
    const url = await this.getFileUrl(safebox, document, options)
    return this.transfers.download(
      this.connection.trustedUrl(url, 'the file address'),
      { accept: '*/*' },
      options.signal,
    )
  }

  /** One page of the SafeBoxes of the token's user, newest activity first. */
  async getSafeboxes(filter: SafeBoxFilter = {}, call: CallOptions = {}): Promise<SafeBoxPage> {
    const { status, search, perPage, page } = filter
    const statuses = typeof status === 'string' ? [status] : (status ?? [])
    if (statuses.some((word) => !statusFilters.includes(word)))
      throw new InvalidInputError('status', `status is one or more of: ${statusFilters.join(', ')}`)
    for (const [field, value, most] of [
      ['perPage', perPage ?? undefined, 1000] as const,
      ['page', page ?? undefined, Number.MAX_SAFE_INTEGER] as const,
    ])
      if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1 && value <= most))
        throw new InvalidInputError(
          field,
          `${field} must be a whole number from 1${field === 'perPage' ? ' to 1000' : ''}`,
        )
    const query = {
      status: statuses.length === 0 ? undefined : statuses.join(','),
      search: search ?? undefined,
      per_page: perPage ?? undefined,
      page: page ?? undefined,
    }
    return this.#page({ path: '/api/v2/safeboxes.json', query }, call)
  }

  /** The page behind `nextPageUrl` or `previousPageUrl`. Only an address of the application is followed: the token goes along. */
  async getSafeboxesPage(pageUrl: string, call: CallOptions = {}): Promise<SafeBoxPage> {
    const { base } = await this.connection.application(call.signal)
    const url = this.connection.trustedUrl(pageUrl, 'the page address', base)
    if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname))
      throw new ProviderProtocolError('sendsecure', 'the page address is not on the application')
    const path = `/${url.pathname.slice(base.pathname.length)}`
    return this.#page({ path, query: Object.fromEntries(url.searchParams) }, call)
  }

  /** All SafeBoxes that match, page after page, as they are iterated. */
  async *iterateSafeboxes(
    filter: SafeBoxFilter = {},
    call: CallOptions = {},
  ): AsyncGenerator<SafeBox, void, undefined> {
    const seen = new Set<string>()
    let page = await this.getSafeboxes(filter, call)
    for (;;) {
      yield* page.safeboxes
      const next = page.nextPageUrl
      // A service that names the same page again would keep us here for ever.
      if (next === undefined || page.safeboxes.length === 0 || seen.has(next)) return
      seen.add(next)
      page = await this.getSafeboxesPage(next, call)
    }
  }

  async #page(
    target: { readonly path: string; readonly query: Readonly<Record<string, string | number | undefined>> },
    call: CallOptions,
  ): Promise<SafeBoxPage> {
    return this.connection.read({ operation: 'get_safeboxes', method: 'GET', ...target, ...call }, readers.safeBoxPage)
  }

  async #section<Name extends InfoSection, S extends z.ZodType>(
    safebox: SafeBoxRef,
    name: Name,
    schema: S,
    call: CallOptions,
  ): Promise<Record<Name, z.output<S>>> {
    const path = `${this.safeboxPath(safebox)}/${name}.json`
    const reader = z.object({ [name]: schema } as Record<Name, S>)
    return this.connection.read({ operation: `get_safebox_${name}`, method: 'GET', path, ...call }, reader) as Promise<
      Record<Name, z.output<S>>
    >
  }
}

/** The application's own pages are named with `http:` at times; what it serves over `https:` is asked for so. */
function secured(given: string, base: URL): string {
  const isPlain =
    base.protocol === 'https:' && URL.canParse(given) && new URL(given).origin === `http://${base.hostname}`
  return isPlain ? given.replace(/^http:\/\/[^/]+/i, base.origin) : given
}

async function collect(download: Download): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of download.body) {
    size += chunk.byteLength
    if (size > AUDIT_RECORD_BYTES) throw new ProviderProtocolError('sendsecure', 'the audit record is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
