import {
  confirmBody,
  loginBody,
  patchUserBody,
  phoneBody,
  phoneConfirmBody,
  registerBody,
  resetBody,
  rolesBody,
  setPasswordBody,
} from './request-schemas.js'
import type { Method } from './routing.js'
import type { Schema } from './schema.js'

/** One route as the OpenAPI document describes it. */
export interface Operation {
  readonly id: string
  readonly method: Method
  readonly path: string
  readonly tag: 'auth' | 'user' | 'password' | 'verification'
  readonly summary: string
  readonly bearer: boolean
  readonly body?: Schema
  readonly success: { readonly status: number; readonly text: string; readonly schema?: string; readonly type?: string }
  /** By status: the codes that can be answered; `problem` for a problem document. */
  readonly refusals: Readonly<Record<string, readonly string[]>>
}

const problem = ['problem'] as const
const busy = { '429': problem, '500': problem, '503': problem } as const
const bodyErrors = { '413': problem, '415': problem } as const

const tokenErrors = [
  'InvalidTokenHeader',
  'MissingClaimError',
  'ExpiredAccessError',
  'MisusedRegistrationToken',
  'PraetorianError',
] as const
const sessionErrors = ['BlacklistedError', 'InvalidUserError'] as const
const bearerErrors = { '401': ['problem', ...tokenErrors], '403': sessionErrors, ...busy } as const

function protectedBy(...codes: readonly string[]) {
  return { ...bearerErrors, '403': [...sessionErrors, ...codes] }
}

export const operations: readonly Operation[] = [
  {
    id: 'login',
    method: 'POST',
    path: '/auth/login/',
    tag: 'auth',
    summary: 'Sign in',
    bearer: false,
    body: loginBody,
    success: { status: 200, text: 'The user and a token', schema: 'UserWithToken' },
    refusals: {
      '400': problem,
      '401': ['AuthFailure'],
      '403': ['InvalidUserError', 'SecondFactorRequired'],
      ...bodyErrors,
      ...busy,
    },
  },
  {
    id: 'refresh',
    method: 'POST',
    path: '/auth/refresh/',
    tag: 'auth',
    summary: 'Renew a token that has expired',
    bearer: true,
    success: { status: 200, text: 'The next token', schema: 'Token' },
    refusals: {
      '401': [
        'MissingTokenHeader',
        'InvalidTokenHeader',
        'MissingClaimError',
        'EarlyRefreshError',
        'ExpiredRefreshError',
        'MisusedRegistrationToken',
        'MissingUserError',
      ],
      '403': sessionErrors,
      ...busy,
    },
  },
  {
    id: 'logout',
    method: 'POST',
    path: '/auth/logout/',
    tag: 'auth',
    summary: 'End the session',
    bearer: true,
    success: { status: 204, text: 'It is over' },
    refusals: { ...bearerErrors, '401': ['problem', ...tokenErrors, 'ExpiredRefreshError'] },
  },
  {
    id: 'verifyToken',
    method: 'GET',
    path: '/auth/verify_token/',
    tag: 'auth',
    summary: 'Check a token',
    bearer: true,
    success: { status: 200, text: 'Its claims', schema: 'Claims' },
    refusals: bearerErrors,
  },
  {
    id: 'listSessions',
    method: 'GET',
    path: '/auth/sessions/',
    tag: 'auth',
    summary: 'The own sessions',
    bearer: true,
    success: { status: 200, text: 'Oldest first', schema: 'Sessions' },
    refusals: bearerErrors,
  },
  {
    id: 'endSessions',
    method: 'DELETE',
    path: '/auth/sessions/',
    tag: 'auth',
    summary: 'End all own sessions',
    bearer: true,
    success: { status: 204, text: 'They are over' },
    refusals: { ...bearerErrors, '400': ['NoSuchUser'] },
  },
  {
    id: 'endSession',
    method: 'DELETE',
    path: '/auth/sessions/{session_id}/',
    tag: 'auth',
    summary: 'End one of the own sessions',
    bearer: true,
    success: { status: 204, text: 'It is over' },
    refusals: bearerErrors,
  },
  {
    id: 'keySet',
    method: 'GET',
    path: '/auth/jwks/',
    tag: 'auth',
    summary: 'The public keys',
    bearer: false,
    success: { status: 200, text: 'A JWK set', schema: 'KeySet', type: 'application/jwk-set+json' },
    refusals: busy,
  },
  {
    id: 'register',
    method: 'POST',
    path: '/user/',
    tag: 'user',
    summary: 'Register',
    bearer: false,
    body: registerBody,
    success: { status: 201, text: 'The user and a token', schema: 'UserWithToken' },
    refusals: { '400': ['problem', 'AlreadyExists', 'WeakPassword', 'InvalidPhoneCode'], ...bodyErrors, ...busy },
  },
  {
    id: 'getUser',
    method: 'GET',
    path: '/user/{user_id}/',
    tag: 'user',
    summary: 'Read a user',
    bearer: true,
    success: { status: 200, text: 'The user', schema: 'User' },
    refusals: { ...protectedBy('AccessDenied'), '400': ['NoSuchUser'] },
  },
  {
    id: 'patchUser',
    method: 'PATCH',
    path: '/user/{user_id}/',
    tag: 'user',
    summary: 'Change a user',
    bearer: true,
    body: patchUserBody,
    success: { status: 200, text: 'The user', schema: 'User' },
    refusals: {
      ...protectedBy('AccessDenied', 'ReauthenticationRequired'),
      '400': ['problem', 'NoSuchUser', 'AlreadyExists', 'InvalidPhoneCode'],
      ...bodyErrors,
    },
  },
  {
    id: 'deleteUser',
    method: 'DELETE',
    path: '/user/{user_id}/',
    tag: 'user',
    summary: 'Deactivate a user',
    bearer: true,
    success: { status: 204, text: 'The user is inactive' },
    refusals: { ...protectedBy('MissingRoleError'), '400': ['problem', 'NoSuchUser'] },
  },
  {
    id: 'endSessionsOf',
    method: 'DELETE',
    path: '/user/{user_id}/sessions/',
    tag: 'user',
    summary: 'End all sessions of a user',
    bearer: true,
    success: { status: 204, text: 'They are over' },
    refusals: { ...protectedBy('AccessDenied'), '400': ['NoSuchUser'] },
  },
  {
    id: 'getRoles',
    method: 'GET',
    path: '/user/{user_id}/role/',
    tag: 'user',
    summary: 'Read the roles of a user',
    bearer: true,
    success: { status: 200, text: 'The roles', schema: 'Roles' },
    refusals: { ...protectedBy('AccessDenied'), '400': ['NoSuchUser'] },
  },
  {
    id: 'patchRoles',
    method: 'PATCH',
    path: '/user/{user_id}/role/',
    tag: 'user',
    summary: 'Replace the roles of a user',
    bearer: true,
    body: rolesBody,
    success: { status: 200, text: 'The roles', schema: 'Roles' },
    refusals: { ...protectedBy('MissingRoleError', 'AccessDenied'), '400': ['problem', 'NoSuchUser'], ...bodyErrors },
  },
  {
    id: 'setPassword',
    method: 'POST',
    path: '/user/{user_id}/set_password/',
    tag: 'password',
    summary: 'Set a password',
    bearer: true,
    body: setPasswordBody,
    success: { status: 200, text: 'It is set' },
    refusals: {
      ...protectedBy('AccessDenied', 'ReauthenticationRequired'),
      '400': ['problem', 'NoSuchUser', 'WeakPassword'],
      '401': ['problem', ...tokenErrors, 'AuthFailure'],
      ...bodyErrors,
    },
  },
  {
    id: 'resetPassword',
    method: 'POST',
    path: '/password/reset/',
    tag: 'password',
    summary: 'Ask for a reset mail',
    bearer: false,
    body: resetBody,
    success: { status: 200, text: 'If there is such a user, a mail is on its way' },
    refusals: { '400': ['problem', 'InvalidUrlTemplate', 'NoSuchUser'], ...bodyErrors, ...busy },
  },
  {
    id: 'confirmReset',
    method: 'POST',
    path: '/password/reset/confirm/',
    tag: 'password',
    summary: 'Set a password with a reset token',
    bearer: false,
    body: confirmBody,
    success: { status: 200, text: 'It is set' },
    refusals: { '400': ['problem', 'InvalidToken', 'WeakPassword'], ...bodyErrors, ...busy },
  },
  {
    id: 'sendPhoneCode',
    method: 'POST',
    path: '/verification/phone/',
    tag: 'verification',
    summary: 'Send a code to a phone',
    bearer: false,
    body: phoneBody,
    success: { status: 200, text: 'It is on its way' },
    refusals: { '400': ['problem', 'InvalidPhone'], ...bodyErrors, ...busy },
  },
  {
    id: 'confirmPhone',
    method: 'POST',
    path: '/verification/phone/confirm/',
    tag: 'verification',
    summary: 'Check a code',
    bearer: false,
    body: phoneConfirmBody,
    success: { status: 200, text: 'The number is verified' },
    refusals: { '400': ['problem', 'InvalidPhoneCode'], ...bodyErrors, ...busy },
  },
]
