import type { GoldenCase } from './cases.js'
import type { Meaning } from './replay.js'

/**
 * Where this client's calls differ from the recorded ones, on purpose. Each entry turns what was recorded into what this
 * client sends; the reasons are in docs/sendsecure.md, and a test keeps the two lists alike.
 */
export interface Difference {
  readonly id: string
  apply(requests: Meaning[], golden: GoldenCase): Meaning[]
}

type Json = Record<string, unknown>

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function each(requests: Meaning[], change: (request: Meaning) => Partial<Meaning> | undefined): Meaning[] {
  return requests.map((request) => ({ ...request, ...change(request) }))
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isJson(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null)
      .map(([name, entry]) => [name, withoutNulls(entry)]),
  )
}

/** For single cases: what is sent instead of what was recorded. */
function only(
  name: string | RegExp,
  id: string,
  change: (requests: Meaning[], golden: GoldenCase) => Meaning[],
): Difference {
  return {
    id,
    apply: (requests, golden) =>
      (typeof name === 'string' ? golden.name === name : name.test(golden.name)) ? change(requests, golden) : requests,
  }
}

const application = ({ origin, path }: Meaning): boolean => origin === 'sendsecure' && path.startsWith('/api/v2/')
const discovery = ({ path }: Meaning): boolean => path.endsWith('/sendsecure/server/url')

function request(method: string, path: string, query: Record<string, string> = {}): Meaning {
  return { origin: 'sendsecure', method, path, query, token: true, chunked: false, body: '' }
}

const GUID = '5f0c1d7ab93e4c26a1e87d4b0c6f2a91'
const settingsPath = '/api/v2/enterprises/northwind/settings'

export const differences: readonly Difference[] = [
  // What the recorded client gets wrong about an address comes first: it decides where a call goes at all.
  only('user_token.portal_host_without_trailing_slash', 'portal-slash', (requests) => [
    ...requests,
    {
      origin: 'portal',
      method: 'POST',
      path: '/api/user_token',
      query: {},
      token: false,
      chunked: false,
      body: 'token',
    },
  ]),
  only('discovery.no_trailing_slash', 'application-slash', (requests) => [...requests, request('GET', settingsPath)]),
  only('discovery.trailing_newline', 'application-white-space', (requests) =>
    each(requests, ({ origin }) => (origin === 'sendsecure' ? { path: settingsPath } : undefined)),
  ),
  only('discovery.endpoint_with_trailing_slash', 'endpoint-slash', (requests) =>
    each(requests, ({ path }) => ({ path: path.replace(/^\/\//, '/') })),
  ),
  {
    id: 'discovery-cached',
    apply: (requests) =>
      requests.filter((entry, index) => !discovery(entry) || requests.findIndex(discovery) === index),
  },
  {
    id: 'user-token-json',
    apply: (requests, golden) =>
      each(requests, ({ path }) => {
        if (path !== '/api/user_token') return undefined
        const args = golden.args
        const otp = args['oneTimePassword']
        return {
          body: {
            permalink: args['enterpriseAccount'],
            username: args['username'],
            password: args['password'],
            application_type: args['applicationType'] ?? 'passport-outofband',
            device_id: args['deviceId'],
            device_name: args['deviceName'],
            ...(otp !== undefined && { otp }),
          },
        }
      }),
  },
  only('security_profiles.email_with_plus', 'query-encoded', (requests, { args }) =>
    each(requests, (entry) =>
      'user_email' in entry.query
        ? { query: { ...entry.query, user_email: String((args['args'] as unknown[])[0]) } }
        : undefined,
    ),
  ),
  only('search_recipient.space_and_ampersand', 'query-encoded', (requests, { args }) =>
    each(requests, (entry) =>
      'term' in entry.query ? { query: { term: String((args['args'] as unknown[])[0]) } } : undefined,
    ),
  ),
  {
    id: 'recipients-path',
    apply: (requests) =>
      each(requests, ({ path }) => ({ path: path.replace('participants/autocomplete', 'recipients/autocomplete') })),
  },
  only('safeboxes.no_caching', 'no-rand', (requests) =>
    each(requests, ({ query: { rand: _rand, ...query } }) => ({ query })),
  ),
  only('safeboxes.absolute_url', 'absolute-page', (requests) =>
    each(requests, (entry) => (entry.path.includes('{{') ? { path: '/api/v2/safeboxes' } : undefined)),
  ),
  only('user_settings.without_argument', 'user-id', (requests) =>
    each(requests, ({ path }) => ({ path: path.replace('undefined', '4107') })),
  ),
  only('file_url.message_document_object', 'document-id', (requests, { args }) =>
    each(requests, ({ path }) => ({ path: path.replace('undefined', String((args['document'] as Json)['id'])) })),
  ),
  only(/^get_safebox\./, 'get-by-guid', (requests, { args }) =>
    each(requests, (entry) =>
      application(entry) ? { path: `/api/v2/safeboxes/${String((args['args'] as unknown[])[0])}` } : undefined,
    ),
  ),
  only('audit_record_pdf', 'audit-record-fetched', (requests) => [...requests, request('GET', `/s/${GUID}.pdf`)]),
  only('transport.redirect_other_origin', 'no-redirect', (requests) => requests.slice(0, -1)),
  only(/^(commit_safebox\.(no_checks|400_attributes)|safeboxes\.per_page_1001)$/, 'checked-here', () => []),
  only('submit_safebox.no_default_profile', 'profile-first', (requests) => [
    ...requests.filter(({ method, path }) => method === 'GET' && !path.endsWith('/new')),
    request('GET', '/api/v2/enterprises/northwind/security_profiles', { user_email: 'mira.olsen@northwind.example' }),
  ]),
  only('submit_safebox.one_attachment_default_profile', 'profile-checked', (requests) => [
    ...requests,
    request('GET', '/api/v2/enterprises/northwind/security_profiles', { user_email: 'mira.olsen@northwind.example' }),
  ]),
  {
    id: 'locale-everywhere',
    apply: (requests) =>
      each(requests, (entry) =>
        application(entry) && !('locale' in entry.query) ? { query: { ...entry.query, locale: 'en' } } : undefined,
      ),
  },
  { id: 'unset-omitted', apply: (requests) => each(requests, ({ body }) => ({ body: withoutNulls(body) })) },
  {
    id: 'guest-details',
    apply: (requests, golden) =>
      each(requests, (entry) =>
        recipients(entry, (recipient) => ({ ...recipient, ...detailsOf(golden, recipient['email']) })),
      ),
  },
  {
    id: 'owner-left-out',
    apply: (requests) =>
      each(requests, (entry) =>
        recipients(entry, (recipient) =>
          recipient['email'] === 'mira.olsen@northwind.example' ? undefined : recipient,
        ),
      ),
  },
  only('commit_safebox.expiration_date', 'absolute-expiration', (requests) =>
    each(requests, ({ body }) =>
      isJson(body) && isJson(body['safebox'])
        ? {
            body: {
              safebox: {
                ...body['safebox'],
                expiration_date: '2024-12-24',
                expiration_time: '18:30:00',
                expiration_time_zone: '+00:00',
              },
            },
          }
        : undefined,
    ),
  ),
  only('create_participant.email_only', 'no-empty-list', withoutContactMethods),
  only('create_participant.locked_is_dropped', 'no-empty-list', withoutContactMethods),
  only('delete_participant_contact_methods', 'destroy-true', (requests) =>
    each(requests, ({ body }) => ({
      body: JSON.parse(JSON.stringify(body).replace('"_destroy":"1"', '"_destroy":true')) as unknown,
    })),
  ),
  only('upload_attachment.buffer_content_type_differs_from_extension', 'content-type-kept', (requests) =>
    each(requests, ({ body }) => ({
      body: JSON.parse(
        JSON.stringify(body).replace('application/octet-stream', 'application/vnd.acme+json'),
      ) as unknown,
    })),
  ),
  only('reply.read_stream_attachment', 'size-given', (requests) =>
    each(requests, ({ path, body }) => ({
      chunked: false,
      ...(path.endsWith('/uploads') && { body: { ...(body as Json), temporary_document: { document_file_size: 32 } } }),
    })),
  ),
]

function recipients(entry: Meaning, change: (recipient: Json) => Json | undefined): Partial<Meaning> | undefined {
  const { body } = entry
  if (!isJson(body) || !isJson(body['safebox']) || !Array.isArray(body['safebox']['recipients'])) return undefined
  const changed = (body['safebox']['recipients'] as Json[]).map(change).filter((recipient) => recipient !== undefined)
  return { body: { safebox: { ...body['safebox'], recipients: changed } } }
}

function detailsOf(golden: GoldenCase, email: unknown): Json {
  const safebox = golden.args['safebox'] as { participants?: { email: string; guest_options?: Json }[] } | undefined
  return safebox?.participants?.find((participant) => participant.email === email)?.guest_options ?? {}
}

function withoutContactMethods(requests: Meaning[]): Meaning[] {
  return each(requests, ({ body }) => {
    if (!isJson(body) || !isJson(body['participant'])) return undefined
    const { contact_methods: _none, ...participant } = body['participant']
    return { body: { participant } }
  })
}
