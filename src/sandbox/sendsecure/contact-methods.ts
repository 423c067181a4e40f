import type { ContactMethod } from './model.js'
import type { SendSecureState } from './state.js'
import { flag, list, record, text, whole } from './values.js'

/** Complaints by field name; empty when there are none. */
export type Complaints = Record<string, string[]>

const types = ['home_phone', 'cell_phone', 'office_phone', 'other_phone']

/** Contact methods of somebody new. */
export function newMethods(state: SendSecureState, given: unknown, complaints: Complaints): ContactMethod[] {
  return list(given).map((entry) => newMethod(state, record(entry), complaints))
}

/**
 * What an update makes of contact methods: entries with an id are changed, or deleted when they are marked; without one
 * they are added; those that are not mentioned stay.
 */
export function changedMethods(
  state: SendSecureState,
  methods: readonly ContactMethod[],
  given: unknown,
  complaints: Complaints,
): ContactMethod[] {
  const result = [...methods]
  for (const entry of list(given).map(record)) {
    const id = whole(entry['id'])
    const index = result.findIndex((method) => method.id === id)
    const known = index === -1 ? undefined : result[index]
    if (id !== undefined && !known) (complaints['contact_methods'] ??= []).push('is invalid')
    else if (!known) result.push(newMethod(state, entry, complaints))
    else if (flag(entry['_destroy'])) result.splice(index, 1)
    else {
      known.destination = text(entry['destination']) ?? known.destination
      known.destinationType = text(entry['destination_type']) ?? known.destinationType
      known.updatedAt = state.now()
    }
  }
  return result
}

function newMethod(
  state: SendSecureState,
  entry: Readonly<Record<string, unknown>>,
  complaints: Complaints,
): ContactMethod {
  const destination = text(entry['destination'])
  const destinationType = text(entry['destination_type'])
  if (destination === undefined) (complaints['destination'] ??= []).push('cannot be blank')
  if (destinationType === undefined || !types.includes(destinationType))
    (complaints['destination_type'] ??= []).push('is invalid')
  const now = state.now()
  return {
    id: state.nextId(),
    destination: destination ?? '',
    destinationType: destinationType ?? '',
    verified: false,
    createdAt: now,
    updatedAt: now,
  }
}
