import { z } from 'zod'
import { encodeSegment } from '../http.js'
import type { CallOptions } from './calls-base.js'
import { EnterpriseCalls } from './calls-enterprise.js'
import { checkContactMethods, checkRemoval, guidOf, idOf, member, present } from './checks.js'
import type { FavoriteUpdate, NewFavorite, ParticipantUpdate, NewParticipant, SafeBoxRef } from './inputs.js'
import type { Favorite, Participant } from './objects.js'
import { favorite as favoriteReader, participant as participantReader } from './readers.js'
import { changedFavorite, changedParticipant, newFavorite, newParticipant } from './writing.js'

const nobody: ReadonlySet<number> = new Set()

/** Operations on people: a user's favorites, and the participants of a SafeBox. */
export abstract class PeopleCalls extends EnterpriseCalls {
  /** @throws {@link InvalidInputError} without a `userId`. */
  async getFavorites(call: CallOptions = {}): Promise<readonly Favorite[]> {
    const path = `${this.userPath}/favorites.json`
    const answer = await this.connection.read(
      { operation: 'get_favorites', method: 'GET', path, ...call },
      z.object({ favorites: z.array(favoriteReader) }),
    )
    return answer.favorites
  }

  async createFavorite(favorite: NewFavorite, call: CallOptions = {}): Promise<Favorite> {
    present('email', favorite.email, 'Favorite email cannot be null')
    checkContactMethods(favorite.contactMethods)
    const path = `${this.userPath}/favorites.json`
    return this.connection.read(
      { operation: 'create_favorite', method: 'POST', path, json: newFavorite(favorite), ...call },
      favoriteReader,
    )
  }

  /** Changes what is given. Contact methods that are not listed stay. */
  async updateFavorite(favorite: FavoriteUpdate, call: CallOptions = {}): Promise<Favorite> {
    return this.#changeFavorite('update_favorite', favorite, nobody, call)
  }

  /** Deletes contact methods of a favorite by their ids; the favorite as it was read carries the others. */
  async deleteFavoriteContactMethods(
    favorite: FavoriteUpdate,
    contactMethodIds: readonly number[],
    call: CallOptions = {},
  ): Promise<Favorite> {
    return this.#changeFavorite('delete_favorite_contact_methods', favorite, new Set(contactMethodIds), call)
  }

  async deleteFavorite(favorite: number | { readonly id: number | undefined }, call: CallOptions = {}): Promise<void> {
    const path = this.#favoritePath(member(favorite, 'id'))
    await this.connection.call({ operation: 'delete_favorite', method: 'DELETE', path, ...call })
  }

  /** Adds a guest to an open SafeBox. */
  async createParticipant(
    safebox: SafeBoxRef,
    participant: NewParticipant,
    call: CallOptions = {},
  ): Promise<Participant> {
    const guid = encodeSegment('guid', guidOf(safebox))
    present('email', participant.email, 'Participant email cannot be null')
    checkContactMethods(participant.guestOptions?.contactMethods)
    const json = { participant: newParticipant(participant) }
    const path = `/api/v2/safeboxes/${guid}/participants.json`
    return this.connection.read(
      { operation: 'create_participant', method: 'POST', path, json, ...call },
      participantReader,
    )
  }

  /** Changes what is given. Contact methods that are not listed stay; `locked: true` revokes access. */
  async updateParticipant(
    safebox: SafeBoxRef,
    participant: ParticipantUpdate,
    call: CallOptions = {},
  ): Promise<Participant> {
    return this.#changeParticipant('update_participant', safebox, participant, nobody, call)
  }

  /** Deletes contact methods of a participant by their ids; the participant as it was read carries the others. */
  async deleteParticipantContactMethods(
    safebox: SafeBoxRef,
    participant: ParticipantUpdate,
    contactMethodIds: readonly number[],
    call: CallOptions = {},
  ): Promise<Participant> {
    const ids = new Set(contactMethodIds)
    return this.#changeParticipant('delete_participant_contact_methods', safebox, participant, ids, call)
  }

  async #changeFavorite(
    operation: string,
    favorite: FavoriteUpdate,
    remove: ReadonlySet<number>,
    call: CallOptions,
  ): Promise<Favorite> {
    const path = this.#favoritePath(favorite.id)
    checkContactMethods(favorite.contactMethods, true)
    checkRemoval(favorite.contactMethods, remove)
    const json = changedFavorite(favorite, remove)
    const answer = await this.connection.read({ operation, method: 'PATCH', path, json, ...call }, favoriteReader)
    return filledFrom(answer, favorite, ['id', 'email', 'firstName', 'lastName', 'companyName', 'orderNumber'])
  }

  async #changeParticipant(
    operation: string,
    safebox: SafeBoxRef,
    participant: ParticipantUpdate,
    remove: ReadonlySet<number>,
    call: CallOptions,
  ): Promise<Participant> {
    const guid = encodeSegment('guid', guidOf(safebox))
    const id = idOf('id', participant.id, 'Participant id cannot be null')
    checkContactMethods(participant.guestOptions?.contactMethods, true)
    checkRemoval(participant.guestOptions?.contactMethods, remove)
    const path = `/api/v2/safeboxes/${guid}/participants/${encodeSegment('id', id)}.json`
    const json = changedParticipant(participant, remove)
    const answer = await this.connection.read({ operation, method: 'PATCH', path, json, ...call }, participantReader)
    return filledFrom(answer, { ...participant, id }, ['id', 'email', 'firstName', 'lastName'])
  }

  #favoritePath(id: unknown): string {
    return `${this.userPath}/favorites/${encodeSegment('id', idOf('id', id, 'Favorite id cannot be null'))}.json`
  }
}

/** Some answers to updates leave most fields out; what was sent still holds then. */
function filledFrom<T extends object, K extends keyof T & string>(
  answer: T,
  sent: { readonly [Name in K]?: T[Name] | undefined },
  names: readonly K[],
): T {
  const missing = names.filter((name) => answer[name] === undefined && sent[name] !== undefined)
  return missing.length === 0
    ? answer
    : Object.freeze({ ...answer, ...Object.fromEntries(missing.map((name) => [name, sent[name]])) })
}
