import type { HttpResponse } from './http-request.js'

/** RFC 9457 */
export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail?: string
  readonly [extension: string]: string | number | boolean | readonly string[] | undefined
}

/** Answers with a JSON body that nobody keeps. */
export function answerJson(res: HttpResponse, status: number, body: object): void {
  send(res, status, 'application/json; charset=utf-8', JSON.stringify(body))
}

/** Answers with a problem (RFC 9457). */
export function answerProblem(res: HttpResponse, problem: Problem): void {
  send(res, problem.status, 'application/problem+json', JSON.stringify({ type: 'about:blank', ...problem }))
}

/** Sends a browser elsewhere with a GET, whatever the method was (303). */
export function answerRedirect(res: HttpResponse, location: string): void {
  res.setHeader('Location', location)
  send(res, 303, 'text/plain; charset=utf-8', `See ${location}\n`)
}

function send(res: HttpResponse, status: number, type: string, body: string): void {
  res.statusCode = status
  res.setHeader('Content-Type', type)
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.setHeader('Cache-Control', 'no-store')
  res.end(body)
}
