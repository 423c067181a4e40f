import type { ServerOptions as TlsOptions } from 'node:https'
import type { Logger, Runtime } from '../runtime.js'
import type { SandboxClock } from './clock.js'
import type { ErrorReply } from './fault-effects.js'
import type { Faults } from './faults.js'
import type { SandboxHandler } from './http-message.js'
import type { Listening } from './http-server.js'
import type { PhoneHub } from './phone/hub.js'

/*
 * How to add a provider (authy/ is the example to follow):
 *
 * 1. Make a folder `sandbox/<provider>/` whose index.ts exports an options schema (a z.strictObject), the type of its
 *    handle (what `sandbox.<provider>` is in tests), and `start<Provider>(context, options): Promise<RunningStandIn<Handle>>`.
 * 2. In it, `await context.listen({ handler, errorReply, tls? })` once for every port the provider has. The handler gets
 *    a SandboxRequest (raw target, raw body on demand, Node's own message for streaming and client certificates) and
 *    gives a SandboxReply; `json()` makes one. A Router matches raw, undecoded segments. Faults are applied around the
 *    handler; `errorReply(status, code?)` must give the provider's real body for an error.
 * 3. Take every time from `context.now()` (it can be moved, and skewed by a fault), wait with `context.clock.sleep`.
 * 4. Show things on the phone: `context.hub.addSource({ provider, pushes, act, devices, enrol, code, setPresence,
 *    safeBoxes })` (give what you have), `context.hub.deliver(...)` for texts, calls and mails, `context.hub.changed()`
 *    whenever something of yours has changed. Switches that no phone has go to `context.hub.addControls(provider, router)`
 *    and appear under `/api/<provider>/` of the phone's JSON API.
 * 5. `describe()` is the provider's entry in the line of `sandbox --json` (design: a URL without trailing slash).
 *    Listeners, the temporary directory and `context.signal` are cleaned up for you; `close` is for anything else.
 * 6. In sandbox.ts add the option, the start and the handle, in the order of the JSON line: five lines, all found by
 *    searching for `authy`.
 *
 * Secrets that a stand-in gives out begin with `sandbox`, so that a real client on the real host can refuse them.
 * A stand-in imports of its provider only wire files and pure signing, never the client: shared code proves nothing.
 */

/** What a stand-in gets to work with. */
export interface StandInContext {
  /** The name it was started under. */
  readonly provider: string
  /** Milliseconds since the epoch as this provider sees them: the sandbox's clock, and a skew where a fault says so. */
  readonly now: () => number
  readonly clock: SandboxClock
  readonly faults: Faults
  readonly hub: PhoneHub
  readonly runtime: Runtime
  readonly logger: Logger
  /** Aborted when the sandbox closes. */
  readonly signal: AbortSignal
  /** Serves on the next port, on 127.0.0.1 only, with faults applied. Closed with the sandbox. */
  listen(options: {
    readonly handler: SandboxHandler
    readonly errorReply: ErrorReply
    readonly tls?: TlsOptions
    readonly lenient?: boolean
  }): Promise<Listening>
  /** A temporary directory that only this account can read: for key and certificate files. Removed with the sandbox. */
  directory(): Promise<string>
}

/** A stand-in that listens. */
export interface RunningStandIn<Handle> {
  /** What `sandbox.<provider>` is. */
  readonly handle: Handle
  /** Its entry in the JSON line of the command. */
  describe(): Readonly<Record<string, unknown>>
  close?(): Promise<void>
}
