import { json, type SandboxReply } from '../http-message.js'

/** The bodies of the API reference, word for word. */

export const denied = (): SandboxReply => json(403, { message: 'Access denied' })

export const notFound = (): SandboxReply => json(404, { message: 'The requested URL cannot be found.' })

export const error = (status: number, text: string): SandboxReply => json(status, { error: text })

export const unable = (message: string): SandboxReply => json(400, { result: false, message })

export const invalid = (attributes: Readonly<Record<string, readonly string[]>>): SandboxReply =>
  json(400, { error: 'Some entered values are incorrect.', attributes })

/** For faults: the body that this service has for a status. */
export function errorReply(status: number): SandboxReply {
  if (status === 403) return denied()
  if (status === 404) return notFound()
  if (status === 413) return json(413, { message: 'File too large' })
  if (status === 422) return json(422, { message: 'A virus was found in the file.' })
  return json(status, { message: 'Internal Server Error' })
}
