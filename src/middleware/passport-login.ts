import { ConfigurationError } from '../errors.js'
import type { HttpRequest } from './http-request.js'

/** Passport's own login: regenerates the session, writes the user into it and saves it. */
export async function logInWithPassport(req: HttpRequest, user: unknown): Promise<void> {
  await call(req, 'logIn', [user])
}

/** Passport's own logout: takes the user out of the session, saves it and regenerates it. */
export async function logOutWithPassport(req: HttpRequest): Promise<void> {
  await call(req, 'logOut', [])
}

function call(req: HttpRequest, name: 'logIn' | 'logOut', values: readonly unknown[]): Promise<void> {
  const method: unknown = Reflect.get(req, name)
  if (typeof method !== 'function') {
    throw new ConfigurationError(
      `there is no req.${name}: mount passport.initialize() or passport.session() before this`,
    )
  }
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => {
      if (error === undefined || error === null) resolve()
      else reject(error instanceof Error ? error : new Error(`req.${name} failed`, { cause: error }))
    }
    Reflect.apply(method, req, [...values, done])
  })
}
