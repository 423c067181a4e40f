import type { JsonValue } from './values.js'
import { json, type SandboxReply } from '../http-message.js'
import type { AddRoute, ApiCall } from './api-call.js'
import { addTime, close, deleteContent, find, reply } from './life.js'
import type { Box, Message } from './model.js'
import { denied, error, notFound, unable } from './replies.js'
import { flag, record, text, whole, wrapped } from './values.js'
import { auditUrl, iso, plainBox, section } from './wire.js'

const sections = ['security_options', 'participants', 'messages', 'download_activity', 'event_history']

/** Routes below one SafeBox. */
export function boxRoutes(add: AddRoute): void {
  const on = (method: string, path: string, handler: (box: Box, call: ApiCall) => SandboxReply): void =>
    add(method, `/safeboxes/:g${path}`, (call) => {
      const box = find(call.state, call.params['g'])
      if (!box) return notFound()
      return box.user.id === call.user.id ? handler(box, call) : denied()
    })
  const patch = (path: string, handler: (box: Box, call: ApiCall) => SandboxReply): void => on('PATCH', path, handler)

  on('GET', '', (box, { state, query }) => {
    const wanted = (query.get('sections') ?? '').split(',').filter((name) => name !== '')
    const names = wanted.length === 0 ? sections : sections.filter((name) => wanted.includes(name))
    const parts: Record<string, JsonValue> = Object.fromEntries(names.map((name) => [name, section(state, box, name)]))
    return json(200, { safebox: { ...plainBox(state, box), ...parts } })
  })
  for (const name of sections)
    on('GET', `/${name}`, (box, { state }) => json(200, { [name]: section(state, box, name) }))
  patch('/add_time', (box, { state, body }) => {
    const at = addTime(state, box, wrapped(body, 'safebox'))
    if (at === undefined) return unable('Unable to extend the SafeBox duration.')
    return json(200, { result: true, message: 'SafeBox duration successfully extended.', new_expiration: iso(at) })
  })
  patch('/close', (box, { state }) =>
    done(close(state, box), 'SafeBox successfully closed.', 'Unable to close the SafeBox.'),
  )
  patch('/delete_content', (box, { state }) =>
    done(deleteContent(state, box), 'SafeBox content successfully deleted.', 'Unable to delete the SafeBox content.'),
  )
  readMarks(patch)
  patch('/follow', (box) => follow(box, true))
  patch('/unfollow', (box) => follow(box, false))
  on('POST', '/tag/archive', (box, call) => archive(box, call, true))
  on('POST', '/untag/archive', (box, call) => archive(box, call, false))
  on('POST', '/messages', (box, { state, body }) =>
    done(
      reply(state, box, wrapped(body, 'safebox'), undefined),
      'SafeBox successfully updated.',
      'Unable to update the SafeBox.',
    ),
  )
  on('POST', '/uploads', announce)
  on('GET', '/audit_record_pdf', (box, { state }) =>
    box.status === 'in_progress' ? denied() : json(200, { url: auditUrl(state, box) }),
  )
  on('GET', '/documents/:doc/url', fileUrl)
}

function readMarks(patch: (path: string, handler: (box: Box, call: ApiCall) => SandboxReply) => void): void {
  for (const [path, read] of [['mark_as_read', true] as const, ['mark_as_unread', false] as const])
    patch(`/${path}`, (box, { state }) => {
      for (const message of box.messages) mark(message, box, read)
      state.changed()
      return json(200, { result: true })
    })
  for (const [path, read] of [['read', true] as const, ['unread', false] as const])
    patch(`/messages/:id/${path}`, (box, { params }) => {
      const message = box.messages.find(({ id }) => String(id) === params['id'])
      if (!message) return unable(`Unable to mark the message as ${path}.`)
      mark(message, box, read)
      return json(200, { result: true })
    })
}

function mark(message: Message, box: Box, read: boolean): void {
  if (read) message.readBy.add(String(box.user.id))
  else message.readBy.delete(String(box.user.id))
}

function done(worked: boolean, yes: string, no: string): SandboxReply {
  return worked ? json(200, { result: true, message: yes }) : unable(no)
}

function follow(box: Box, followed: boolean): SandboxReply {
  box.followed = followed
  return json(200, { result: true, message: `The SafeBox is now ${followed ? 'followed' : 'unfollowed'}.` })
}

function archive(box: Box, { state, body }: ApiCall, archived: boolean): SandboxReply {
  const known = state.userByEmail(text(body['user_email'])) !== undefined
  if (!known) return unable(archived ? 'Unable to add Safebox to Archives' : 'Unable to remove Safebox from Archives')
  box.archived = archived
  const message = archived ? 'SafeBox successfully archived' : 'SafeBox successfully removed from Archives'
  return json(200, { result: true, message })
}

function announce(box: Box, { state, body }: ApiCall): SandboxReply {
  // Absent for the streams of one official client.
  const given = record(body['temporary_document'])['document_file_size']
  const size = whole(given)
  const key = text(body['public_encryption_key'])
  const wrongKey = key !== undefined && key !== box.key
  const needsKey = box.options['double_encryption'] === true && key === undefined
  if (box.status !== 'in_progress' || flag(body['multipart']) === true || wrongKey || needsKey)
    return unable('Unable to create the upload.')
  if (given !== undefined && given !== null && size === undefined) return unable('Unable to create the upload.')
  return json(200, { temporary_document_guid: state.random(16), upload_url: state.uploadUrl(box.guid, size) })
}

function fileUrl(box: Box, { state, query, params }: ApiCall): SandboxReply {
  const user = state.userByEmail(query.get('user_email') ?? undefined)
  if (!user) return error(400, 'User email not found')
  const file = box.messages.flatMap(({ files }) => files).find(({ id }) => id === params['doc'])
  return file ? json(200, { url: state.downloadUrl(file, String(user.id)) }) : notFound()
}
