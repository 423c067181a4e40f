import { text } from '../http-message.js'
import type { RunningStandIn, StandInContext } from '../stand-in.js'
import { activeconnectApi } from './api.js'
import { Credentials, refuse } from './credentials.js'
import type { ActiveconnectQuirks, ActiveconnectSandboxOptions } from './options.js'
import { addToPhone } from './phone.js'
import { ActiveconnectState } from './state.js'

export { activeconnectSandboxOptions } from './options.js'
export type { ActiveconnectQuirks, ActiveconnectSandboxOptions } from './options.js'

/** The Activeconnect stand-in, as tests see it. */
export interface ActiveconnectSandbox {
  /** What a client takes as its base. */
  readonly url: string
  readonly applicationId: string
  readonly applicationSecret: string
  /** Ways to answer otherwise than usual. */
  readonly quirks: ActiveconnectQuirks
  /** A second application, whose credentials open nothing of the first. */
  addApplication(): { readonly applicationId: string; readonly applicationSecret: string }
  /** Ends all sessions of a user, as an administrator of the service does. */
  closeByAdministrator(userId: string): void
}

/** Starts the stand-in. */
export async function startActiveconnect(
  context: StandInContext,
  options: ActiveconnectSandboxOptions = {},
): Promise<RunningStandIn<ActiveconnectSandbox>> {
  const state = new ActiveconnectState(context.now, () => context.hub.changed())
  const application = state.addApplication(options.applicationId, options.applicationSecret)
  const quirks: ActiveconnectQuirks = {
    statusShape: 'nested',
    timeoutSpelling: 'timeout',
    statusWord: undefined,
    foreignOrigin: undefined,
  }
  const credentials = new Credentials(state, options, context.now)
  const router = activeconnectApi({ state, credentials, quirks, options, hub: context.hub })
  const { url } = await context.listen({
    errorReply: (status, code) => refuse(status, code ?? 'ERROR'),
    handler: (request) => {
      const route = router.find(request.method, request.path)
      if (route === undefined) return text(404, 'Not found')
      return route === 'method' ? text(405, 'Method not allowed') : route(request)
    },
  })
  addToPhone(context.hub, state)
  const entry = { url, applicationId: application.id, applicationSecret: application.secret }
  return {
    handle: {
      ...entry,
      quirks,
      addApplication: () => {
        const { id, secret } = state.addApplication()
        return { applicationId: id, applicationSecret: secret }
      },
      closeByAdministrator: (userId) => {
        for (const user of state.users()) if (user.id === userId) state.closeAll(user)
      },
    },
    describe: () => entry,
  }
}
