import { sandboxApiKeyPrefix } from '../../providers/authy/wire-sandbox.js'
import type { RunningStandIn, StandInContext } from '../stand-in.js'
import { authyApi } from './api.js'
import { CallbackSender } from './callback-sender.js'
import { authyControls } from './controls.js'
import { AuthySandbox } from './handle.js'
import type { AuthySandboxOptions } from './options.js'
import { authyPhone } from './phone-source.js'
import { errorReply } from './replies.js'
import { type AuthySettings, AuthyState } from './state.js'

export { AuthySandbox, type AuthyUserChanges, type AuthyUserView } from './handle.js'
export type { CallbackAttempt } from './callback-sender.js'
export { authySandboxOptions } from './options.js'
export type { AuthyCallbackTarget, AuthyRateLimit, AuthySandboxOptions } from './options.js'
export type { AuthySwitches, NumberInfo } from './state.js'

/** Starts the Authy stand-in: the API, the app on the phone, and the sender of callbacks. */
export async function startAuthy(
  context: StandInContext,
  options: AuthySandboxOptions = {},
): Promise<RunningStandIn<AuthySandbox>> {
  const state = new AuthyState(settings(context, options), context)
  const callbacks = new CallbackSender(state, options.callback)
  const { url } = await context.listen({ errorReply, handler: authyApi(state) })
  const handle = new AuthySandbox(url, state, callbacks)
  context.hub.addSource(authyPhone(state, callbacks))
  context.hub.addControls('authy', authyControls(handle))
  return { handle, describe: () => ({ url, apiKey: handle.apiKey }) }
}

function settings({ runtime }: StandInContext, options: AuthySandboxOptions): AuthySettings {
  const { rateLimit } = options
  return {
    apiKey: options.apiKey ?? sandboxApiKeyPrefix + Buffer.from(runtime.randomBytes(13)).toString('hex').slice(0, 25),
    appName: options.appName ?? 'Sandbox',
    appId: options.appId ?? 3,
    firstAuthyId: options.firstAuthyId ?? 1635,
    magicValues: options.magicValues ?? true,
    oldAnswers: options.oldAnswers ?? false,
    enrolAtOnce: options.enrolAtOnce ?? false,
    limits:
      rateLimit === false
        ? false
        : {
            requestsPerMinute: rateLimit?.requestsPerMinute ?? 60,
            tokensPerTenMinutes: rateLimit?.tokensPerTenMinutes ?? 5,
          },
  }
}
