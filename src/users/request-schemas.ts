import type { Schema } from './schema.js'

// The bodies of all routes. The order of members and of `required` is the order in which errors are reported.

const text: Schema = { type: 'string' }
const email: Schema = { type: 'string', format: 'email' }
const name: Schema = { type: ['string', 'null'], maxLength: 64, pattern: '^\\P{Cc}*$' }
const phone: Schema = { type: ['string', 'null'], maxLength: 30, pattern: '^\\P{Cc}*$' }

export const loginBody: Schema = {
  type: 'object',
  required: ['email', 'password'],
  properties: {
    email,
    password: text,
    second_factor: { type: ['string', 'null'], description: 'What 403 `SecondFactorRequired` asked for' },
  },
}

export const registerBody: Schema = {
  type: 'object',
  required: ['email'],
  properties: { email, phone, first_name: name, last_name: name, password: { type: ['string', 'null'] } },
}

export const patchUserBody: Schema = {
  type: 'object',
  required: ['email'],
  properties: { email, phone, first_name: name, last_name: name },
}

export const setPasswordBody: Schema = {
  type: 'object',
  required: ['password'],
  properties: { password: text, current_password: { ...text, description: 'Instead of a fresh login' } },
}

export const rolesBody: Schema = {
  type: 'array',
  maxItems: 64,
  items: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,64}$' },
}

export const resetBody: Schema = {
  type: 'object',
  required: ['email', 'url_template'],
  properties: { email: text, url_template: text },
}

export const confirmBody: Schema = {
  type: 'object',
  required: ['token', 'new_password'],
  properties: { token: text, new_password: text },
}

export const phoneBody: Schema = {
  type: 'object',
  required: ['phone'],
  properties: { phone: text, resend: { type: ['boolean', 'null'] } },
}

export const phoneConfirmBody: Schema = {
  type: 'object',
  required: ['phone', 'code'],
  properties: { phone: text, code: text },
}
