import { timingSafeEqual } from 'node:crypto'
import { find, note } from './life.js'
import type { Box, Guest } from './model.js'
import { sendCode } from './notify.js'
import type { SendSecureState } from './state.js'

/** What a guest sees of an opened SafeBox. */
export interface OpenedBox {
  readonly subject: string | null
  readonly from: string
  readonly messages: readonly {
    readonly note: string
    readonly documents: readonly {
      readonly id: string
      readonly name: string
      readonly size: number
      readonly url: string
    }[]
  }[]
}

export type Refusal = 'not-found' | 'closed' | 'locked' | 'code' | 'key'

function guestOf(state: SendSecureState, guid: string, who: string): { box: Box; guest: Guest } | Refusal {
  const box = find(state, guid)
  const guest = box?.guests.find(({ id, email }) => id === who || email.toLowerCase() === who.toLowerCase())
  if (!box || !guest) return 'not-found'
  if (box.status !== 'in_progress') return 'closed'
  return guest.locked ? 'locked' : { box, guest }
}

/** Sends the code that a guest needs: by text where there is a phone. */
export function requestCode(state: SendSecureState, guid: string, who: string): Refusal | undefined {
  const found = guestOf(state, guid, who)
  if (typeof found === 'string') return found
  sendCode(state, found.box, found.guest)
  return undefined
}

/** Opens a SafeBox as a guest does: with the code that was sent and, with double encryption, the participants' key. */
export function openBox(
  state: SendSecureState,
  guid: string,
  who: string,
  { code, key }: { readonly code: string; readonly key: string | undefined },
): OpenedBox | Refusal {
  const found = guestOf(state, guid, who)
  if (typeof found === 'string') return found
  const { box, guest } = found
  const needsCode = box.options['two_factor_required'] === true
  if (needsCode && !codeFits(state, guest, code)) {
    guest.failedLoginAttempts += 1
    guest.locked = guest.failedLoginAttempts >= Number(box.options['allowed_login_attempts'] ?? 3)
    note(box, 'login_failed', state.now(), `${guest.email} gave a wrong code`)
    return guest.locked ? 'locked' : 'code'
  }
  if (box.options['double_encryption'] === true && !same(key ?? '', box.key)) return 'key'
  guest.code = undefined
  guest.verified = true
  guest.failedLoginAttempts = 0
  for (const message of box.messages) message.readBy.add(guest.id)
  note(box, 'opened', state.now(), `SafeBox opened by ${guest.email}`)
  state.changed()
  return {
    subject: box.subject,
    from: box.user.email,
    messages: box.messages.map((message) => ({
      note: message.note,
      documents: message.files.map((file) => ({
        id: file.id,
        name: file.name,
        size: file.size,
        url: state.downloadUrl(file, guest.id),
      })),
    })),
  }
}

function codeFits(state: SendSecureState, guest: Guest, given: string): boolean {
  return guest.code !== undefined && guest.code.expiresAt > state.now() && same(given, guest.code.value)
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
