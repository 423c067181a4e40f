import { invalidParameter, refuse } from './replies.js'
import { json } from '../http-message.js'
import { readContent } from './approval.js'
import { type Endpoint, withUser } from './endpoint.js'

/** `POST /onetouch/json/users/{id}/approval_requests` */
export const create = withUser(({ state, params }, user) => {
  if (!state.switches.oneTouchEnabled) return refuse('60065')
  if (user.suspended) return refuse('60017')
  const content = readContent(params)
  if ('bad' in content) return invalidParameter(content.bad, content.why)
  if (!user.registered) return refuse('60050')
  if (user.devices.length === 0) return refuse('60051')
  const { uuid } = state.addApproval(user, content)
  return json(200, { approval_request: { uuid }, success: true })
})

/** `GET /onetouch/json/approval_requests/{uuid}` */
export const read: Endpoint = ({ state, path, now }) => {
  const { uuid = '' } = path
  const approval = state.approvals.get(uuid)
  if (!approval) {
    const message = `Approval request not found: ${uuid}`
    return json(404, notFound(message))
  }
  const { appName: name, appId: id } = state.settings
  return json(200, { approval_request: approval.describe({ name, id, hexId: state.appHexId }, now), success: true })
}

// Here `errors` is empty, unlike everywhere else.
function notFound(message: string): object {
  return { message, success: false, errors: {}, error_code: '60049' }
}
