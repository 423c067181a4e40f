import type { IncomingMessage } from 'node:http'
import { headerOf, type HttpRequest, type HttpResponse } from './http-request.js'

const forwardingHeaders = ['via', 'forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip']

/**
 * Finds out whether a browser is still there while nothing of what it sends is read: the end of its connection stands
 * behind all that it has sent before, so it is not seen. An interim response (`102 Processing`, RFC 2518) that comes to a browser
 * that has gone is answered with a reset, and that is seen. Clients have to take any number of interim responses (RFC
 * 9110 §15.2) from HTTP/1.1 on; behind a proxy none is sent: it says nothing about the browser, and not every proxy takes them.
 */
export function knocking(req: HttpRequest & IncomingMessage, res: HttpResponse): () => void {
  const isDirect = req.httpVersion === '1.1' && !forwardingHeaders.some((name) => headerOf(req, name) !== undefined)
  return () => {
    if (isDirect && !res.headersSent && !res.writableEnded) res.writeProcessing?.()
  }
}
