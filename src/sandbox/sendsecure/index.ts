import type { RunningStandIn, StandInContext } from '../stand-in.js'
import { application } from './application.js'
import { sendSecureControls } from './controls.js'
import { fileServer } from './file-server.js'
import { SendSecureSandbox, sendSecurePhone } from './handle.js'
import type { SendSecureSandboxOptions } from './options.js'
import { portal } from './portal.js'
import { errorReply } from './replies.js'
import { SendSecureState } from './state.js'

export { type SafeBoxView, SendSecureSandbox } from './handle.js'
export { type SendSecureSandboxOptions, sendSecureSandboxOptions, type SendSecureSettings } from './options.js'
export type { SendSecureQuirks } from './state.js'

/** Starts the SendSecure stand-in: portal, application and file server, each on a port of its own. */
export async function startSendSecure(
  context: StandInContext,
  options: SendSecureSandboxOptions = {},
): Promise<RunningStandIn<SendSecureSandbox>> {
  const state = new SendSecureState(context, options)
  state.origins.portal = (await context.listen({ errorReply, handler: portal(state) })).url
  state.origins.application = (await context.listen({ errorReply, handler: application(state) })).url
  // For streams the official PHP client, and the Python one before 2019, sets a length by hand; libcurl then adds chunks.
  state.origins.fileServer = (await context.listen({ errorReply, handler: fileServer(state), lenient: true })).url
  const handle = new SendSecureSandbox(state)
  context.hub.addSource(sendSecurePhone(state))
  context.hub.addControls('sendsecure', sendSecureControls(handle))
  const { url, enterpriseAccount, username, password, userEmail } = handle
  return { handle, describe: () => ({ url, enterpriseAccount, username, password, userEmail }) }
}
