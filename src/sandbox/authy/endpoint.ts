import type { SandboxReply, SandboxRequest } from '../http-message.js'
import type { PathParams } from '../router.js'
import { type ParamHash, textOf } from './params.js'
import { refuse } from './replies.js'
import type { AuthyState } from './state.js'
import type { AuthyUser } from './user.js'

/** One call of the API, after the key, the limits and the parameters were looked at. */
export interface Call {
  readonly state: AuthyState
  readonly params: ParamHash
  readonly path: PathParams
  readonly request: SandboxRequest
  readonly now: number
}

export type Endpoint = (call: Call) => SandboxReply | Promise<SandboxReply>

const idPattern = /^[1-9][0-9]{0,19}$/

/** Runs `then` with the user whose id stands in the path; refuses anything that is no id, decoded or not. */
export function withUser(then: (call: Call, user: AuthyUser) => SandboxReply, unknown = '60026'): Endpoint {
  return (call) => {
    const { id = '' } = call.path
    if (!idPattern.test(id)) return refuse('60026')
    const user = call.state.user(Number(id))
    return user ? then(call, user) : refuse(unknown)
  }
}

/** An action or a text about it: 1 to 255 characters. */
export function shortText(params: ParamHash, name: string): string | undefined {
  const value = textOf(params, name)
  return value === undefined || value === '' ? undefined : value.slice(0, 255)
}
