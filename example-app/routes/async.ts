import type { NextFunction, Request, RequestHandler, Response } from 'express'

/** An async handler whose failures reach the error page. */
export function handle(run: (req: Request, res: Response, next: NextFunction) => Promise<void>): RequestHandler {
  return (req, res, next) => {
    run(req, res, next).catch(next)
  }
}

/** A field of a form: text, or nothing. Arrays and objects are nothing. */
export function formField(req: Request, name: string, maxLength = 254): string {
  const value = sentField(req, name) ?? ''
  return value.length <= maxLength ? value.trim() : ''
}

/** A password as it was typed: nothing of it is cut off. */
export function secretField(req: Request, name: string): string {
  return sentField(req, name) ?? ''
}

/** A field as it was sent; undefined if it was not, or not as text. */
export function sentField(req: Request, name: string): string | undefined {
  const body: unknown = req.body
  const value: unknown =
    typeof body === 'object' && body !== null && Object.hasOwn(body, name) ? Reflect.get(body, name) : undefined
  return typeof value === 'string' ? value : undefined
}
