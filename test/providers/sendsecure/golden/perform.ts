import { createReadStream, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getUserToken, SendSecureClient } from 'passport-outofband/sendsecure'
import { files, type GoldenCase } from './cases.js'

type Json = Readonly<Record<string, unknown>>
type Plan = readonly [method: keyof SendSecureClient & string, ...args: unknown[]]

const folder = mkdtempSync(join(tmpdir(), 'sendsecure-golden-'))
for (const [name, content] of files) writeFileSync(join(folder, name), content)

/** Does with our client what was done with the recorded one. What is recorded is untyped, and so is the call. */
export async function perform({ call, clientOptions, args }: GoldenCase): Promise<unknown> {
  if (call === 'getUserToken') return getUserToken(args as never)
  const { apiToken, noCaching: _noCaching, ...options } = clientOptions
  const client = new SendSecureClient({ ...options, token: apiToken, uploadRetries: 0 } as never)
  const invoke = async ([name, ...values]: Plan): Promise<unknown> => {
    const method: unknown = Reflect.get(client, name)
    if (typeof method !== 'function') throw new Error(`there is no method ${name}`)
    return await (Reflect.apply(method, client, values) as Promise<unknown>)
  }
  try {
    if (call === 'enterpriseSettings then userSettings on one client') {
      await invoke(['getEnterpriseSettings'])
      return await invoke(['userSettings'])
    }
    return await invoke(plan(call, camel(args) as Json))
  } finally {
    client.close()
  }
}

/** Methods whose name and arguments are the recorded client's own. */
const renamed: Readonly<Record<string, keyof SendSecureClient & string>> = {
  enterpriseSettings: 'getEnterpriseSettings',
  securityProfiles: 'getSecurityProfiles',
  defaultSecurityProfile: 'getDefaultSecurityProfile',
  getAuditRecordPdfUrl: 'getAuditRecordUrl',
  favorites: 'getFavorites',
  editFavorite: 'updateFavorite',
  'Attachment constructor': 'uploadAttachment',
}

function plan(call: string, args: Json): Plan {
  const method = renamed[call] ?? (call as keyof SendSecureClient & string)
  const { safebox, attachment, reply, favorite, participant, message, document, rest } = args
  const list = (args['args'] ?? []) as readonly unknown[]
  if (method === 'uploadAttachment') return [method, safebox, file(attachment as Json)]
  if (method === 'commitSafebox' || method === 'submitSafebox') return [method, draft(safebox as Json)]
  if (method === 'reply') return [method, safebox, withFiles(reply as Json, 32)]
  if (method === 'addTime') return [method, safebox, ...((rest as readonly unknown[] | undefined) ?? [3, 'days'])]
  if (call === 'getSafeboxList') return list[0] ? ['getSafeboxesPage', list[0]] : ['getSafeboxes', filter(list[1])]
  if (method === 'userSettings') return [method]
  if (method === 'deleteParticipantContactMethods') return [method, safebox, participant, rest]
  if (method === 'deleteFavoriteContactMethods') return [method, favorite, rest]
  if (method === 'getSafeboxInfo') return [method, safebox, (rest as readonly unknown[] | undefined)?.[0]]
  if (list.length > 0) return [method, ...list]
  if ('message' in args) return [method, safebox, message]
  return [method, ...[safebox, participant ?? document ?? favorite].filter((value) => value !== undefined)]
}

function filter(given: unknown): unknown {
  const { status, ...others } = (given ?? {}) as Json
  return { ...others, ...(typeof status === 'string' && { status: status.split(',') }) }
}

function file(recorded: Json, size?: number): Json {
  const { path, readStream, buffer, ...named } = recorded
  if (typeof path === 'string') return { ...named, source: join(folder, path) }
  if (typeof readStream === 'string') return { ...named, source: createReadStream(join(folder, readStream)), size }
  return { ...named, source: Buffer.from(String(buffer)) }
}

function withFiles(recorded: Json, size?: number): Json {
  const { attachments, ...others } = recorded
  return Array.isArray(attachments)
    ? { ...others, attachments: attachments.map((entry: Json) => file(entry, size)) }
    : others
}

function draft({ expirationValues, ...safebox }: Json): Json {
  return {
    participants: [],
    ...withFiles(safebox),
    ...(typeof expirationValues === 'string' && { securityOptions: { expirationDate: new Date(expirationValues) } }),
  }
}

export function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel)
  if (typeof value !== 'object' || value === null) return value ?? undefined
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      camel(entry),
    ]),
  )
}
