import { randomUUID } from 'node:crypto'
import type { ErrorRequestHandler } from 'express'
import {
  FactorUnavailableError,
  ProviderRateLimitedError,
  ProviderRejectedError,
  ProviderTimeoutError,
  ProviderUnreachableError,
  StoreUnavailableError,
  type Logger,
} from 'passport-outofband'
import { endPage } from '../pages/second-factor.js'

/** The last page: what went wrong, in words for the person, and an id under which the log has the rest. */
export function errorPages(logger: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) {
      next(error)
      return
    }
    const id = randomUUID()
    const outage = isOutage(error)
    const status = outage ? 503 : clientError(error)
    if (status >= 500) logger.error({ error, id, path: loggable(req.path) }, 'a request failed')
    res.status(status).send(
      endPage({
        title: outage ? 'We cannot reach your phone' : status < 500 ? 'That did not work' : 'Something went wrong',
        text: outage
          ? 'The service that asks your phone does not answer right now. Nobody gets in without it, so please try again in a minute.'
          : 'Please go back and try again.',
        help: `If you talk to us about it, give this number: ${id}`,
        again: { href: '/', label: 'Start again' },
      }),
    )
  }
}

// The link of a mail holds a secret.
function loggable(path: string): string {
  return path.replace(/^\/reset\/.*$/, '/reset/:token')
}

function isOutage(error: unknown): boolean {
  if (error instanceof FactorUnavailableError) return true
  if (error instanceof ProviderRejectedError) return error.status >= 500
  return (
    error instanceof ProviderTimeoutError ||
    error instanceof ProviderUnreachableError ||
    error instanceof ProviderRateLimitedError ||
    error instanceof StoreUnavailableError
  )
}

// body-parser and others put a 4xx on errors that the caller made.
function clientError(error: unknown): number {
  const status: unknown = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
