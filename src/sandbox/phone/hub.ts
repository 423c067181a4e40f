import { SandboxError } from '../../errors.js'
import type { SandboxClock } from '../clock.js'
import type { Router } from '../router.js'
import type { DeviceCode, Enrolment, PhoneDevice, PhoneMessage, PhonePush, PhoneSafeBox, Presence } from './model.js'

/** What a provider puts on the phone. It keeps its own state; the phone asks whenever it looks. */
export interface PhoneSource {
  readonly provider: string
  pushes?(): readonly PhonePush[]
  /** Does what the person pressed: `approve`, `deny`, or another of the push's own `actions`. @throws SandboxError */
  act?(pushId: string, action: string): Promise<void>
  devices?(): readonly PhoneDevice[]
  /** Gives the new device, or undefined when this enrolment isn't for this provider. @throws SandboxError */
  enrol?(enrolment: Enrolment): Promise<PhoneDevice | undefined>
  code?(deviceId: string): DeviceCode
  setPresence?(deviceId: string, presence: Presence): void
  safeBoxes?(): readonly PhoneSafeBox[]
}

const keptMessages = 500

/** Where all providers meet the phone. Stand-ins add a source, deliver messages and say when something has changed. */
export class PhoneHub {
  readonly #sources: PhoneSource[] = []
  readonly #controls = new Map<string, Router>()
  readonly #listeners = new Set<() => void>()
  readonly #clock: SandboxClock
  #messages: PhoneMessage[] = []
  #nextMessage = 1
  #scheduled = false

  constructor(clock: SandboxClock) {
    this.#clock = clock
    clock.onMove(() => this.changed())
  }

  addSource(source: PhoneSource): void {
    this.#sources.push(source)
    this.changed()
  }

  /**
   * Puts a provider's own switches under `/api/<provider>` of the phone's JSON API: what no phone can do, such as
   * suspending a user. The router sees the path after that prefix; the phone's guards stand in front of it.
   */
  addControls(provider: string, routes: Router): void {
    this.#controls.set(provider, routes)
  }

  controls(provider: string): Router | undefined {
    return this.#controls.get(provider)
  }

  /** Puts a text, a call or a mail into the inbox. */
  deliver(message: Omit<PhoneMessage, 'id' | 'receivedAt' | 'links'>): PhoneMessage {
    const links = linksIn(message.text)
    const received = { ...message, links, id: String(this.#nextMessage++), receivedAt: this.#clock.now() }
    this.#messages = [...this.#messages, received].slice(-keptMessages)
    this.changed()
    return received
  }

  clearMessages(): void {
    this.#messages = []
    this.changed()
  }

  /** A source calls this whenever it would answer differently than before. */
  changed(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      for (const listener of [...this.#listeners]) listener()
    })
  }

  /** Calls back after every change. Gives a function that ends this. */
  onChange(listener: () => void): () => void {
    const entry = (): void => listener()
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  /** Newest first. */
  pushes(): readonly PhonePush[] {
    return this.#sources.flatMap((source) => source.pushes?.() ?? []).sort((a, b) => b.createdAt - a.createdAt)
  }

  /** Newest first. */
  messages(): readonly PhoneMessage[] {
    return [...this.#messages].reverse()
  }

  devices(): readonly PhoneDevice[] {
    return this.#sources.flatMap((source) => source.devices?.() ?? [])
  }

  safeBoxes(): readonly PhoneSafeBox[] {
    return this.#sources.flatMap((source) => source.safeBoxes?.() ?? []).sort((a, b) => b.createdAt - a.createdAt)
  }

  /**
   * Presses a button of a push.
   *
   * @throws {@link SandboxError} `not-found`, or `conflict` when the push is answered or over already.
   */
  async act(pushId: string, action: string): Promise<PhonePush> {
    const push = this.#push(pushId)
    const source = this.#source(push.provider)
    if (!push.actions.includes(action) || !source.act) {
      throw new SandboxError('conflict', `the push is ${push.status}: ${action} is not possible (any more)`)
    }
    await source.act(pushId, action)
    this.changed()
    return this.#push(pushId)
  }

  /** @throws {@link SandboxError} `invalid` when no provider knows what to do with it. */
  async enrol(enrolment: Enrolment): Promise<PhoneDevice> {
    for (const source of this.#sources) {
      if (enrolment.provider !== undefined && enrolment.provider !== source.provider) continue
      const device = await source.enrol?.(enrolment)
      if (!device) continue
      this.changed()
      return device
    }
    throw new SandboxError('invalid', 'no provider of this sandbox knows this link, QR text or phone number')
  }

  /** @throws {@link SandboxError} `not-found` when there is no such device, or it shows no codes. */
  code(deviceId: string): DeviceCode {
    const device = this.#device(deviceId)
    const source = this.#source(device.provider)
    if (!device.showsCode || !source.code) throw new SandboxError('not-found', 'this device shows no codes')
    return source.code(deviceId)
  }

  /** @throws {@link SandboxError} `not-found`, or `conflict` when the provider knows no nearness. */
  setPresence(deviceId: string, presence: Presence): PhoneDevice {
    const device = this.#device(deviceId)
    const source = this.#source(device.provider)
    if (!source.setPresence) throw new SandboxError('conflict', `${device.provider} does not know near and away`)
    source.setPresence(deviceId, presence)
    this.changed()
    return this.#device(deviceId)
  }

  #push(id: string): PhonePush {
    const push = this.pushes().find((candidate) => candidate.id === id)
    if (!push) throw new SandboxError('not-found', 'there is no such push')
    return push
  }

  #device(id: string): PhoneDevice {
    const device = this.devices().find((candidate) => candidate.id === id)
    if (!device) throw new SandboxError('not-found', 'there is no such device')
    return device
  }

  #source(provider: string): PhoneSource {
    const source = this.#sources.find((candidate) => candidate.provider === provider)
    if (!source) throw new SandboxError('not-found', `there is no provider ${provider} in this sandbox`)
    return source
  }
}

// What ends a sentence or closes a bracket belongs to the text around a link.
function linksIn(text: string): readonly string[] {
  return [...text.matchAll(/https?:\/\/[^\s<>"']+/gi)].map(([link]) => link.replace(/[.,;:!?)\]}]+$/, ''))
}
