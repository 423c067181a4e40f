import { json, type SandboxReply, type SandboxRequest } from '../http-message.js'
import { qrPng } from '../qr/png.js'
import { qrCode } from '../qr/code.js'
import { withUser } from './endpoint.js'
import { hexId } from './ids.js'
import { textOf } from './params.js'
import { invalidParameter, refuse } from './replies.js'
import type { AuthyState } from './state.js'

const defaultSize = 300
const keptPictures = 100
const picturePath = '/sandbox/qr/'

/** `POST /users/{id}/secret`: the seed as a picture, for another authenticator app. */
export const secret = withUser(({ state, params, request }, user) => {
  if (!state.switches.genericTokens) return refuse('60123')
  const size = textOf(params, 'qr_size') || String(defaultSize)
  if (!/^[0-9]{1,4}$/.test(size)) return invalidParameter('qr_size', 'Parameter must be an integer')
  const issuer = state.settings.appName
  const label = textOf(params, 'label') || (user.emails[0] ?? user.recipient)
  const matrix = label.length > 255 ? undefined : qrCode(user.app.link(issuer, label))
  if (!matrix) return refuse('60122')
  const name = `${hexId()}${hexId()}.png`
  state.pictures.set(picturePath + name, qrPng(matrix, Number(size) || defaultSize))
  for (const oldest of [...state.pictures.keys()].slice(0, -keptPictures)) state.pictures.delete(oldest)
  const host = request.headers.host ?? '127.0.0.1'
  return json(200, { label, issuer, qr_code: `http://${host}${picturePath}${name}`, success: true })
})

/** The pictures are for browsers, so they need no key; their names can't be guessed. */
export function servePicture(state: AuthyState, request: SandboxRequest): SandboxReply | undefined {
  const body = request.method === 'GET' ? state.pictures.get(request.path) : undefined
  if (!body) return undefined
  return { status: 200, headers: { 'content-type': 'image/png', 'cache-control': 'no-store' }, body }
}
