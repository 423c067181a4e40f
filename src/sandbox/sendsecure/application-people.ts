import { json, type SandboxReply } from '../http-message.js'
import type { AddRoute, ApiCall } from './api-call.js'
import { changedMethods, type Complaints, newMethods } from './contact-methods.js'
import { addGuest, changeGuest, find } from './life.js'
import type { Favorite, Guest, User } from './model.js'
import { denied, invalid, notFound } from './replies.js'
import { flag, text, whole, wrapped, type Loose } from './values.js'
import { favorite as favoriteWire, participant } from './wire.js'

/** Routes to participants, favorites and the search for recipients. */
export function peopleRoutes(add: AddRoute): void {
  add('POST', '/safeboxes/:g/participants', ({ state, user, params, body }) => {
    const box = find(state, params['g'])
    if (!box) return notFound()
    if (box.user.id !== user.id) return denied()
    const result = addGuest(state, box, wrapped(body, 'participant'))
    return isGuest(result) ? json(200, participant(box, result)) : invalid(result)
  })
  add('PATCH', '/safeboxes/:g/participants/:id', ({ state, user, params, body }) => {
    const box = find(state, params['g'])
    const guest = box?.guests.find(({ id }) => id === params['id'])
    if (!box || !guest) return notFound()
    if (box.user.id !== user.id) return denied()
    const complaints = changeGuest(state, box, guest, wrapped(body, 'participant'))
    return complaints ? invalid(complaints) : json(200, participant(box, guest))
  })
  const path = '/enterprises/:e/users/:u/favorites'
  add(
    'GET',
    path,
    own(({ user }) => json(200, { favorites: user.favorites.map(favoriteWire) })),
  )
  add('POST', path, own(createFavorite))
  add('PATCH', `${path}/:id`, own(updateFavorite))
  add('DELETE', `${path}/:id`, own(deleteFavorite))
  add('GET', '/recipients/autocomplete', (call) => (call.state.quirks.oldAutocompleteOnly ? notFound() : search(call)))
  add('GET', '/participants/autocomplete', search)
}

function isGuest(result: Guest | Complaints): result is Guest {
  return typeof result.id === 'string'
}

// Favorites are a user's own.
function own(handler: (call: ApiCall) => SandboxReply): (call: ApiCall) => SandboxReply {
  return (call) => {
    const { e: enterprise, u: user } = call.params
    return enterprise === call.state.enterpriseAccount && user === String(call.user.id) ? handler(call) : denied()
  }
}

function createFavorite({ state, user, body }: ApiCall): SandboxReply {
  const given = wrapped(body, 'favorite')
  const complaints: Complaints = {}
  const email = text(given['email'])
  if (email === undefined) complaints['email'] = ['cannot be blank']
  const now = state.now()
  const entry: Favorite = {
    id: state.nextId(),
    email: email ?? '',
    firstName: null,
    lastName: null,
    companyName: null,
    alwaysPromote: false,
    orderNumber: Math.max(0, ...user.favorites.map(({ orderNumber }) => orderNumber)) + 1,
    contactMethods: newMethods(state, given['contact_methods'], complaints),
    createdAt: now,
    updatedAt: now,
  }
  if (Object.keys(complaints).length > 0) return invalid(complaints)
  fill(entry, given)
  user.favorites.push(entry)
  return json(200, favoriteWire(entry))
}

function updateFavorite({ state, user, params, body }: ApiCall): SandboxReply {
  const entry = user.favorites.find(({ id }) => String(id) === params['id'])
  if (!entry) return notFound()
  const given = wrapped(body, 'favorite')
  const complaints: Complaints = {}
  if ('email' in given && !text(given['email'])) complaints['email'] = ['cannot be blank']
  const methods = changedMethods(state, entry.contactMethods, given['contact_methods'], complaints)
  if (Object.keys(complaints).length > 0) return invalid(complaints)
  entry.contactMethods = methods
  entry.email = text(given['email']) ?? entry.email
  entry.orderNumber = whole(given['order_number']) ?? entry.orderNumber
  entry.updatedAt = state.now()
  fill(entry, given)
  user.favorites.sort((a, b) => a.orderNumber - b.orderNumber)
  return json(200, favoriteWire(entry))
}

function fill(entry: Favorite, given: Loose): void {
  if ('first_name' in given) entry.firstName = text(given['first_name']) ?? null
  if ('last_name' in given) entry.lastName = text(given['last_name']) ?? null
  if ('company_name' in given) entry.companyName = text(given['company_name']) ?? null
  entry.alwaysPromote = flag(given['always_promote']) ?? entry.alwaysPromote
}

function deleteFavorite({ user, params }: ApiCall): SandboxReply {
  const index = user.favorites.findIndex(({ id }) => String(id) === params['id'])
  if (index === -1) return notFound()
  user.favorites.splice(index, 1)
  return { status: 204 }
}

function search({ state, user, query }: ApiCall): SandboxReply {
  const term = (query.get('term') ?? '').toLowerCase()
  const fits = (...texts: (string | null)[]): boolean => texts.some((entry) => entry?.toLowerCase().includes(term))
  const favorites = user.favorites
    .filter((entry) => fits(`${entry.firstName ?? ''} ${entry.lastName ?? ''}`, entry.email, entry.companyName))
    .map((entry) => suggestion(entry, 'favorite', entry.companyName ?? ''))
  const users = state.users
    .filter((entry) => fits(`${entry.firstName} ${entry.lastName}`, entry.email))
    .map((entry) => suggestion(entry, 'user', ''))
  return json(200, {
    results: [
      ...(state.settings['include_favorites_in_autocomplete'] === true ? favorites : []),
      ...(state.settings['include_users_in_autocomplete'] === true ? users : []),
    ],
  })
}

function suggestion({ id, firstName, lastName, email }: User | Favorite, type: string, company: string): object {
  return { id, type, first_name: firstName, last_name: lastName, email, company_name: company }
}
