import { header, type SandboxReply, type SandboxRequest, text } from '../http-message.js'

/**
 * Keeps other pages in the developer's browser away from the phone: any of them could otherwise press Approve. Gives
 * the refusal, or undefined when the request may pass.
 */
export function refuse(request: SandboxRequest, port: number): SandboxReply | undefined {
  // A foreign name that leads to 127.0.0.1 (DNS rebinding) makes this page same-origin with the attacker's.
  const host = header(request, 'host')
  if (host === undefined || !ownHosts(port).includes(host.toLowerCase())) return text(421, 'this is not my host name')
  const origin = header(request, 'origin')
  if (request.headers.origin !== undefined && origin !== `http://${host.toLowerCase()}`) {
    return text(403, 'requests from other sites are refused')
  }
  const site = request.headers['sec-fetch-site']
  const navigation = request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate'
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !(navigation && isPage(request))) {
    return text(403, 'requests from other sites are refused')
  }
  return request.method === 'GET' || request.method === 'HEAD' ? undefined : refuseForm(request)
}

// A form can be sent across sites without asking first; JSON can't.
function refuseForm(request: SandboxRequest): SandboxReply | undefined {
  const type = request.headers['content-type']
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  if (type === undefined && !hasBody) return undefined
  if (type !== undefined && /^application\/json\s*(;|$)/i.test(type)) return undefined
  return text(415, 'send application/json')
}

function isPage(request: SandboxRequest): boolean {
  return request.path === '/'
}

function ownHosts(port: number): readonly string[] {
  return ['127.0.0.1', 'localhost', '[::1]'].map((name) => (port === 80 ? name : `${name}:${port}`))
}
