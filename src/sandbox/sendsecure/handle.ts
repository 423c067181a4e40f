import { SandboxError } from '../../errors.js'
import type { PhoneSource } from '../phone/hub.js'
import { settle } from './life.js'
import { guestLink } from './notify.js'
import { openBox, type OpenedBox, type Refusal, requestCode } from './opening.js'
import type { SendSecureSettings } from './options.js'
import type { SendSecureQuirks, SendSecureState } from './state.js'

/** A SafeBox as tests see it. */
export interface SafeBoxView {
  readonly guid: string
  readonly subject: string | null
  readonly status: string
  readonly recipients: readonly string[]
  readonly documents: readonly {
    readonly id: string
    readonly name: string
    readonly size: number
    readonly sha: string
  }[]
  readonly messages: readonly string[]
  readonly expiresAt: Date
}

/** The SendSecure stand-in, as tests see it. */
export class SendSecureSandbox {
  readonly #state: SendSecureState

  /** @internal */
  constructor(state: SendSecureState) {
    this.#state = state
  }

  /** The portal: what a client takes as its endpoint. */
  get url(): string {
    return this.#state.origins.portal
  }

  get applicationUrl(): string {
    return this.#state.origins.application
  }

  get fileServerUrl(): string {
    return this.#state.origins.fileServer
  }

  get enterpriseAccount(): string {
    return this.#state.enterpriseAccount
  }

  get username(): string {
    return this.#state.users[0]?.username ?? ''
  }

  get password(): string {
    return this.#state.users[0]?.password ?? ''
  }

  /** The address of the user, for `userEmail`. */
  get userEmail(): string {
    return this.#state.users[0]?.email ?? ''
  }

  /** Ways to behave otherwise than usual. */
  get quirks(): SendSecureQuirks {
    return this.#state.quirks
  }

  /** Requests to the portal or the file server that carried a token: a defect of the client. */
  get strayTokens(): number {
    return this.#state.strayTokens
  }

  /** SafeBoxes that were allocated and not committed. Nobody was told of them. */
  get drafts(): number {
    return this.#state.drafts.size
  }

  /** Changes the enterprise's settings, by their names on the wire. */
  configure(settings: SendSecureSettings): void {
    Object.assign(this.#state.settings, settings)
  }

  /** From now on every token that was given out is refused. */
  expireTokens(): void {
    this.#state.tokens.clear()
  }

  /** The SafeBoxes that were committed, oldest first. */
  safeboxes(): readonly SafeBoxView[] {
    return [...this.#state.boxes.values()].map((box) => {
      settle(this.#state, box)
      return {
        guid: box.guid,
        subject: box.subject,
        status: box.status,
        recipients: box.guests.map(({ email }) => email),
        documents: box.messages
          .flatMap(({ files }) => files)
          .map(({ id, name, size, sha }) => ({ id, name, size, sha })),
        messages: box.messages.map(({ note }) => note),
        expiresAt: new Date(box.expiresAt),
      }
    })
  }

  /** Asks, as a recipient, for the code; it arrives on the phone. @throws SandboxError */
  requestCode(guid: string, recipient: string): void {
    const refusal = requestCode(this.#state, guid, recipient)
    if (refusal) throw problem(refusal)
  }

  /** Opens a SafeBox as a recipient. @throws SandboxError */
  open(
    guid: string,
    recipient: string,
    proof: { readonly code: string; readonly key?: string | undefined },
  ): OpenedBox {
    const opened = openBox(this.#state, guid, recipient, { code: proof.code, key: proof.key })
    if (typeof opened === 'string') throw problem(opened)
    return opened
  }
}

function problem(refusal: Refusal): SandboxError {
  return refusal === 'not-found'
    ? new SandboxError('not-found', 'there is no such SafeBox or recipient')
    : new SandboxError('conflict', `the SafeBox does not open: ${refusal}`)
}

/** What of it is on the phone. */
export function sendSecurePhone(state: SendSecureState): PhoneSource {
  const { provider } = state.context
  return {
    provider,
    safeBoxes: () =>
      [...state.boxes.values()].map((box) => {
        settle(state, box)
        return {
          id: box.guid,
          provider,
          subject: box.subject ?? '',
          recipients: box.guests.map(({ email }) => email),
          openings: box.guests.map((guest) => ({ recipient: guest.email, link: guestLink(state, box, guest) })),
          status: box.status,
          attachments: box.messages.flatMap(({ files }) => files).map(({ name, size }) => ({ name, size })),
          createdAt: box.createdAt,
        }
      }),
  }
}
