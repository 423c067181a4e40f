import type { Response } from 'express'
import type { Refused } from 'passport-outofband/users'
import { waitText } from './wait-text.js'

const texts: Readonly<Record<string, string>> = {
  AuthFailure: 'That is not your current password.',
  InvalidToken: 'This link was used already, is too old, or was replaced by a newer one.',
  AlreadyExists: 'That number belongs to another account.',
  InvalidPhone: 'That number does not look right. Check the country code too.',
  InvalidPhoneCode: 'That code is not right, or not any more.',
  MissingRoleError: 'You are no administrator any more.',
  AccessDenied: 'That is for another administrator to do.',
  NoSuchUser: 'There is no such person.',
}

/** Sets the status of an answer to what the user service refused, and gives the words for the person. */
export function refusalText(res: Response, { status, code, description, retryAfterSeconds }: Refused): string {
  res.status(status)
  if (retryAfterSeconds !== undefined) {
    res.setHeader('Retry-After', retryAfterSeconds)
    return `Too many at once. Please wait ${waitText(retryAfterSeconds)}.`
  }
  return texts[code] ?? `${description}.`
}
