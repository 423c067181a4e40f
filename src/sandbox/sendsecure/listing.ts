import { json, type SandboxReply } from '../http-message.js'
import type { ApiCall } from './api-call.js'
import { settle } from './life.js'
import type { Box } from './model.js'
import { error } from './replies.js'
import { plainBox, unreadCount } from './wire.js'

const states = ['in_progress', 'closed', 'content_deleted']

/** The list of the user's SafeBoxes, newest activity first, in pages. */
export function list({ state, user, query }: ApiCall): SandboxReply {
  const perPage = numberOf(query.get('per_page'), 100)
  const page = numberOf(query.get('page'), 1)
  if (!(perPage >= 1 && perPage <= 1000))
    return error(400, `Invalid per_page parameter value (${query.get('per_page') ?? ''})`)
  if (!(page >= 1)) return error(400, `Invalid page parameter value (${query.get('page') ?? ''})`)
  for (const box of state.boxes.values()) settle(state, box)
  const words = (query.get('status') ?? '').split(',').filter((word) => word !== '')
  const wanted = words.filter((word) => states.includes(word))
  const term = query.get('search') ?? query.get('search_term') ?? ''
  const matches = [...state.boxes.values()]
    .filter((box) => box.user.id === user.id)
    .filter((box) => wanted.length === 0 || wanted.includes(box.status))
    .filter((box) => !words.includes('unread') || unreadCount(box) > 0)
    .filter((box) => term === '' || contains(box, term.toLowerCase()))
    .sort((a, b) => b.latestActivity - a.latestActivity)
  const pageUrl = (number: number): string => {
    const rest = new URLSearchParams([...query].filter(([name]) => name !== 'page' && name !== 'locale' && name !== ''))
    rest.append('page', String(number))
    const prefix = state.quirks.absolutePages ? `${state.origins.application}/` : ''
    return `${prefix}api/v2/safeboxes?${rest.toString()}`
  }
  return json(200, {
    count: matches.length,
    previous_page_url: page > 1 ? pageUrl(page - 1) : null,
    next_page_url: page * perPage < matches.length ? pageUrl(page + 1) : null,
    safeboxes: matches.slice((page - 1) * perPage, page * perPage).map((box) => ({ safebox: plainBox(state, box) })),
  })
}

// What follows the digits is overlooked: the official PHP client writes `?locale=en` there.
function numberOf(given: string | null, standard: number): number {
  if (given === null || given === '') return standard
  return Number(/^\d{1,9}(?!\d)/.exec(given)?.[0])
}

function contains(box: Box, term: string): boolean {
  const files = box.messages.flatMap(({ files: all }) => all)
  const texts = [
    box.subject,
    box.guid,
    ...box.messages.map(({ note }) => note),
    ...box.guests.flatMap(({ email, firstName, lastName }) => [email, firstName, lastName]),
    ...files.flatMap(({ name, sha }) => [name, sha]),
  ]
  return texts.some((entry) => entry?.toLowerCase().includes(term))
}
