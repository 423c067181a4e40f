import type { SafeBox } from 'passport-outofband/sendsecure'
import type { SentDocument } from '../documents.js'
import { html, type Html } from '../html.js'
import { field, notice, page } from './layout.js'

/** The form, and what was sent. */
export function documentsPage(options: {
  readonly name: string
  readonly sent: readonly SentDocument[]
  readonly error?: string | undefined
}): string {
  return page(
    { title: 'Documents', name: options.name, wide: true, script: 'documents.js' },
    html`<h1>Documents</h1>
      <p class="lead">Send a document as a SafeBox: it opens with a code that we text to the recipient.</p>
      <div class="columns">
        <section class="card" aria-labelledby="send-title">
          <h2 id="send-title">Send a document</h2>
          ${notice('error', options.error)} ${sendForm}
        </section>
        <section class="card" aria-labelledby="sent-title">
          <h2 id="sent-title">Sent</h2>
          ${
            options.sent.length === 0
              ? html`<p class="hint">You have not sent anything yet.</p>`
              : html`<ul class="sent">
                  ${options.sent.map(sentItem)}
                </ul>`
          }
        </section>
      </div>`,
  )
}

// The file comes last: whoever reads the form as it streams in must know by then who gets it.
const sendForm = html`<form id="send" method="post" action="/documents" enctype="multipart/form-data">
    ${field({ name: 'email', label: "Recipient's e-mail", type: 'email', autocomplete: 'off', maxlength: 254 })}
    ${field({
      name: 'mobile',
      label: "Recipient's mobile number",
      type: 'tel',
      autocomplete: 'off',
      maxlength: 24,
      hint: 'With the country code, such as +1 514 555 0111. The code that opens the SafeBox goes there.',
    })}
    ${field({ name: 'subject', label: 'Subject', autocomplete: 'off', maxlength: 120 })}
    ${field({ name: 'file', label: 'File', type: 'file', autocomplete: 'off' })}
    <button class="button" id="submit">Send</button>
  </form>
  <div id="sending" class="sending" hidden>
    <label for="bar" id="sending-name">Sending</label>
    <progress id="bar" class="upload" max="100" value="0"></progress>
    <p class="sending-row">
      <span id="amount"></span>
      <button type="button" class="button quiet small" id="cancel">Cancel</button>
    </p>
  </div>
  <p id="outcome" class="notice" role="status" hidden></p>`

function sentItem({ guid, subject, recipient, sentAt }: SentDocument): Html {
  return html`<li>
    <a href="/documents/${guid}">${subject}</a>
    <span>to ${recipient}</span>
    ${moment(sentAt)}
  </li>`
}

/** One SafeBox: what is in it, who has downloaded what, and what else happened. */
export function documentPage(options: {
  readonly name: string
  readonly sent: SentDocument
  readonly safebox: SafeBox
  readonly isNew: boolean
}): string {
  const { sent, safebox } = options
  const documents = (safebox.messages ?? []).flatMap((message) => message.documents)
  return page(
    { title: sent.subject, name: options.name, wide: true },
    html`<p><a href="/documents">All documents</a></p>
      <h1>${sent.subject}</h1>
      ${notice('info', options.isNew ? `Sent to ${sent.recipient}.` : undefined)}
      <p class="lead">
        To ${sent.recipient} ·
        ${statusWords[safebox.status ?? ''] ?? safebox.status ?? 'unknown'}${safebox.expiration && html` · until ${moment(safebox.expiration)}`}
      </p>
      <section class="card">
        <h2>Files</h2>
        <ul class="sent">
          ${documents.map((document) => html`<li><strong>${document.name ?? 'unnamed'}</strong><span>${bytes(document.size)}</span></li>`)}
        </ul>
      </section>
      <div class="columns below">
        <section class="card" aria-labelledby="downloads-title">
          <h2 id="downloads-title">Downloads</h2>
          ${downloads(safebox)}
        </section>
        <section class="card" aria-labelledby="history-title">
          <h2 id="history-title">What happened</h2>
          <ul class="sent">
            ${(safebox.eventHistory ?? []).map(({ message, type, date }) => html`<li><span>${message ?? type}</span>${date && moment(date)}</li>`)}
          </ul>
        </section>
      </div>`,
  )
}

const statusWords: Readonly<Record<string, string>> = {
  in_progress: 'open',
  closed: 'closed',
  content_deleted: 'content deleted',
}

function downloads({ downloadActivity, participants = [], messages = [] }: SafeBox): Html {
  const people = new Map(participants.map(({ id, email }) => [id, email]))
  const documents = new Map(messages.flatMap((message) => message.documents).map((document) => [document.id, document]))
  const owner = downloadActivity?.owner
  const details = [...(downloadActivity?.guests ?? []), ...(owner ? [owner] : [])]
  const items = details.flatMap((person) =>
    person.documents
      .filter(({ downloadDate }) => downloadDate !== undefined)
      .map(({ id, downloadedBytes, downloadDate }) => {
        const document = documents.get(id)
        return html`<li>
          <strong>${people.get(person.id) ?? (person === owner ? 'Larch Bank' : 'somebody')}</strong>
          <span>${document?.name ?? 'a file'}, ${bytes(downloadedBytes)} of ${bytes(document?.size)}</span>
          ${downloadDate && moment(downloadDate)}
        </li>`
      }),
  )
  return items.length === 0
    ? html`<p class="hint">Nobody has downloaded anything yet.</p>`
    : html`<ul class="sent">
        ${items}
      </ul>`
}

function moment(date: Date): Html {
  return html`<time datetime="${date.toISOString()}">${date.toUTCString().replace('GMT', 'UTC')}</time>`
}

function bytes(count: number | undefined): string {
  if (count === undefined) return 'unknown size'
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const
  const step = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3))
  return `${(count / 1000 ** step).toLocaleString('en', { maximumFractionDigits: 1 })} ${units[step] ?? ''}`
}
