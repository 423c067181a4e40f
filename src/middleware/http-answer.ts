import { wantsHtml, type HttpRequest, type HttpResponse, type Next } from './http-request.js'

/** RFC 9457 */
export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail?: string
  readonly [extension: string]: string | number | boolean | readonly string[] | undefined
}

/**
 * Answers a browser that was refused, with a page of the application. The status is set already; whatever it throws goes to
 * `next`. Callers that don't accept HTML get the problem itself.
 */
export type OnRefused = {
  answer(refusal: Problem, req: HttpRequest, res: HttpResponse, next: Next): void | Promise<void>
}['answer']

/** Refuses: with the application's page to a browser, if it has one, and with the problem to everybody else. */
export async function answerRefusal(
  refusal: Problem,
  { req, res, next }: { readonly req: HttpRequest; readonly res: HttpResponse; readonly next: Next },
  onRefused: OnRefused | undefined,
): Promise<void> {
  if (!onRefused || !wantsHtml(req)) {
    answerProblem(res, refusal)
    return
  }
  res.statusCode = refusal.status
  await onRefused(refusal, req, res, next)
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
