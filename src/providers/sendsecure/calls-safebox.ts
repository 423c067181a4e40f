import { InvalidInputError } from '../../errors.js'
import { encodeSegment } from '../http.js'
import type { CallOptions } from './calls-base.js'
import { PeopleCalls } from './calls-people.js'
import { checkTimeUnit, guidOf, messageIdOf, present } from './checks.js'
import type { MessageRef, SafeBoxRef } from './inputs.js'
import type { ExtensionResult, Result } from './objects.js'
import { extensionResult, result } from './readers.js'
import type { TimeUnit } from './wire.js'

/** Operations that change a SafeBox. None is ever repeated by itself. */
export abstract class SafeBoxCalls extends PeopleCalls {
  /** Makes an open SafeBox end later. */
  async addTime(safebox: SafeBoxRef, value: number, unit: TimeUnit, call: CallOptions = {}): Promise<ExtensionResult> {
    checkTimeUnit(unit)
    if (!Number.isSafeInteger(value) || value < 1)
      throw new InvalidInputError('value', 'value must be a whole number from 1')
    const json = { safebox: { add_time_value: value, add_time_unit: unit } }
    const path = `${this.safeboxPath(safebox)}/add_time.json`
    return this.connection.read({ operation: 'add_time', method: 'PATCH', path, json, ...call }, extensionResult)
  }

  /** Closes an open SafeBox. */
  async closeSafebox(safebox: SafeBoxRef, call: CallOptions = {}): Promise<Result> {
    return this.#change('close_safebox', safebox, '/close.json', call)
  }

  /** Deletes the content of a closed SafeBox. */
  async deleteSafeboxContent(safebox: SafeBoxRef, call: CallOptions = {}): Promise<Result> {
    return this.#change('delete_safebox_content', safebox, '/delete_content.json', call)
  }

  async markAsRead(safebox: SafeBoxRef, call: CallOptions = {}): Promise<Result> {
    return this.#change('mark_as_read', safebox, '/mark_as_read.json', call)
  }

  async markAsUnread(safebox: SafeBoxRef, call: CallOptions = {}): Promise<Result> {
    return this.#change('mark_as_unread', safebox, '/mark_as_unread.json', call)
  }

  async markAsReadMessage(safebox: SafeBoxRef, message: MessageRef, call: CallOptions = {}): Promise<Result> {
    const id = encodeSegment('message', messageIdOf(message))
    return this.#change('mark_as_read_message', safebox, `/messages/${id}/read`, call)
  }

  async markAsUnreadMessage(safebox: SafeBoxRef, message: MessageRef, call: CallOptions = {}): Promise<Result> {
    const id = encodeSegment('message', messageIdOf(message))
    return this.#change('mark_as_unread_message', safebox, `/messages/${id}/unread`, call)
  }

  /** The owner is told of what happens in the SafeBox. New ones are followed already. */
  async follow(safebox: SafeBoxRef, call: CallOptions = {}): Promise<Result> {
    return this.#change('follow', safebox, '/follow', call)
  }

  async unfollow(safebox: SafeBoxRef, call: CallOptions = {}): Promise<Result> {
    return this.#change('unfollow', safebox, '/unfollow', call)
  }

  /** Moves a SafeBox to a user's archive. Not in the vendor's public documentation. */
  async archiveSafebox(safebox: SafeBoxRef, userEmail?: string, call: CallOptions = {}): Promise<Result> {
    return this.#tag('archive_safebox', safebox, 'tag', userEmail, call)
  }

  async unarchiveSafebox(safebox: SafeBoxRef, userEmail?: string, call: CallOptions = {}): Promise<Result> {
    return this.#tag('unarchive_safebox', safebox, 'untag', userEmail, call)
  }

  protected safeboxPath(safebox: SafeBoxRef): string {
    return `/api/v2/safeboxes/${encodeSegment('guid', guidOf(safebox))}`
  }

  /** The user an operation is for: given, or the creator where the caller's object knows it. */
  protected userEmailOf(safebox: SafeBoxRef, userEmail: string | undefined): string {
    const email = userEmail ?? (typeof safebox === 'object' ? safebox.userEmail : undefined)
    present('userEmail', email, 'SafeBox user email cannot be null')
    return email
  }

  async #change(operation: string, safebox: SafeBoxRef, rest: string, call: CallOptions): Promise<Result> {
    const path = this.safeboxPath(safebox) + rest
    return this.connection.read({ operation, method: 'PATCH', path, ...call }, result)
  }

  async #tag(
    operation: string,
    safebox: SafeBoxRef,
    verb: 'tag' | 'untag',
    userEmail: string | undefined,
    call: CallOptions,
  ): Promise<Result> {
    const path = `${this.safeboxPath(safebox)}/${verb}/archive`
    const json = { user_email: this.userEmailOf(safebox, userEmail) }
    return this.connection.read({ operation, method: 'POST', path, json, ...call }, result)
  }
}
