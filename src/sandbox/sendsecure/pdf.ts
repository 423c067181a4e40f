import { deflateSync } from 'node:zlib'
import type { Box } from './model.js'
import type { SendSecureState } from './state.js'
import { iso } from './wire.js'

/** The audit record of a SafeBox: a PDF 1.4 of as many pages as it needs. */
export function auditRecord(state: SendSecureState, box: Box): Buffer {
  const lines = [
    `Audit record of SafeBox ${box.guid}`,
    `Enterprise: ${state.enterpriseAccount}`,
    `Owner: ${box.user.email}`,
    `Subject: ${box.subject ?? '(none)'}`,
    `Status: ${box.status}`,
    '',
    'Participants',
    ...box.guests.map(({ email, locked }) => `  ${email}${locked ? ' (locked)' : ''}`),
    '',
    'Documents',
    ...box.messages
      .flatMap(({ files }) => files)
      .map(({ name, size, sha }) => `  ${name}, ${size} bytes, SHA-256 ${sha}`),
    '',
    'Events',
    ...box.history.map(({ date, message }) => `  ${iso(date)}  ${message}`),
  ]
  return pdf(lines.flatMap((line) => (line === '' ? [''] : (line.match(/.{1,95}/gu) ?? []))))
}

const LINES = 54

function pdf(lines: readonly string[]): Buffer {
  const pages = Array.from({ length: Math.ceil(lines.length / LINES) }, (_, index) =>
    lines.slice(index * LINES, (index + 1) * LINES),
  )
  const kids = pages.map((_, index) => `${4 + index * 2} 0 R`).join(' ')
  const objects: Buffer[] = [
    Buffer.from('<< /Type /Catalog /Pages 2 0 R >>'),
    Buffer.from(`<< /Type /Pages /Count ${pages.length} /Kids [${kids}] >>`),
    Buffer.from('<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>'),
    ...pages.flatMap((page, index) => [pageObject(5 + index * 2), contentObject(page)]),
  ]
  // Four bytes above 127 say that this is binary; they are no UTF-8, so that a client which reads text fails visibly.
  const parts = [Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n', 'latin1')]
  const offsets: number[] = []
  let length = parts[0]?.length ?? 0
  for (const [index, object] of objects.entries()) {
    offsets.push(length)
    const whole = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), object, Buffer.from('\nendobj\n')])
    parts.push(whole)
    length += whole.length
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const count = objects.length + 1
  parts.push(
    Buffer.from(
      `xref\n0 ${count}\n0000000000 65535 f \n${table}trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  )
  return Buffer.concat(parts)
}

function pageObject(content: number): Buffer {
  const resources = '/Resources << /Font << /F1 3 0 R >> >>'
  return Buffer.from(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] ${resources} /Contents ${content} 0 R >>`)
}

function contentObject(lines: readonly string[]): Buffer {
  const shown = lines.map((line) => `(${escape(line)}) Tj T*`).join('\n')
  const data = deflateSync(Buffer.from(`BT /F1 9 Tf 14 TL 40 800 Td\n${shown}\nET`, 'latin1'))
  const head = `<< /Length ${data.length} /Filter /FlateDecode >>\nstream\n`
  return Buffer.concat([Buffer.from(head), data, Buffer.from('\nendstream')])
}

function escape(text: string): string {
  return text.replace(/[^\x20-\x7e\xa0-\xff]/gu, '?').replace(/[\\()]/g, '\\$&')
}
