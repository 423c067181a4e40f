import { z } from 'zod'
import type { JsonObject } from '../approval/json.js'
import type { StateStore } from '../approval/state-store.js'
import { functionOption, loggerOption, objectWith, parseOptions, runtimeOption } from '../options.js'
import { resolveRuntime, silentLogger, type Logger, type Runtime } from '../runtime.js'
import { Background } from './background.js'
import { readBody } from './body.js'
import { credentialCheck, credentialOption, type GatewayCredential } from './credentials.js'
import { deliverWithRetries } from './mail-delivery.js'
import { mailTemplates, type MailTemplate } from './mail-templates.js'
import { pythonString } from './python-text.js'
import { problem, unavailable, type Answer } from './refusal.js'
import { createRouter, type Call, type ServiceHandler } from './routing.js'
import { isObject, member, stringMember, type Schema } from './schema.js'
import { Unsubscriptions } from './unsubscriptions.js'
import { wireTime } from './user-view.js'

/** A mail, ready to be delivered. */
export interface OutgoingMail {
  readonly from: string
  readonly to: readonly string[]
  readonly cc: readonly string[]
  readonly bcc: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Delivers mails: {@link nodemailerTransport}, or one's own. Rejects when it could not. */
export interface MailTransport {
  deliver(mail: OutgoingMail): Promise<void>
}

export interface EmailGatewayOptions {
  readonly transport: MailTransport
  /** Keeps the numbers of messages and who unsubscribed from what. */
  readonly state: StateStore
  readonly credential: GatewayCredential
  /** Signs unsubscribe tokens: 32 bytes or more. Without it nobody can unsubscribe. */
  readonly secret?: string | Uint8Array
  /** Templates by name, besides and before the built-in ones. */
  readonly templates?: Readonly<Record<string, MailTemplate>>
  /** Tags that nobody can unsubscribe from. Default: those of the user service's mails. */
  readonly transactionalTags?: readonly string[]
  /** How long it waits, in seconds, before each further try of a mail that was not taken. Default 2, 10 and 60. */
  readonly retrySeconds?: readonly number[]
  /** How long one try may take. Default 60,000. */
  readonly timeoutMs?: number
  readonly namespace?: string
  readonly runtime?: Partial<Runtime>
  readonly logger?: Logger
}

const optionsSchema = z.strictObject({
  transport: objectWith<MailTransport>(['deliver'], 'give an object with the method deliver'),
  state: objectWith<StateStore>(['get', 'put', 'increment'], 'give a StateStore'),
  credential: credentialOption,
  secret: z
    .union([z.string(), z.instanceof(Uint8Array)])
    .refine((secret) => Buffer.from(secret).length >= 32, { error: 'give 32 bytes or more' })
    .optional(),
  templates: z.record(z.string(), functionOption<MailTemplate>()).default({}),
  retrySeconds: z.array(z.number().min(0).max(86_400)).max(20).default([2, 10, 60]),
  timeoutMs: z.int().min(1).max(3_600_000).default(60_000),
  transactionalTags: z.array(z.string()).default([...Object.keys(mailTemplates)]),
  namespace: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .default('mail'),
  runtime: runtimeOption,
  logger: loggerOption,
})

type Settings = z.output<typeof optionsSchema>

const address: Schema = { type: 'string', format: 'mailbox', maxLength: 320 }
const addresses: Schema = { type: 'array', items: address, maxItems: 100 }
const subject: Schema = { type: 'string', maxLength: 998, pattern: '^\\P{Cc}*$' }
const tag: Schema = { type: 'string', maxLength: 64 }
const optionalAddresses: Schema = { ...addresses, type: ['array', 'null'] }
const envelope = { from_: address, to: addresses, subject, cc: optionalAddresses, bcc: optionalAddresses }

/** The body of `POST /template/{template_name}/send/`. */
export const templateBody: Schema = {
  type: 'object',
  required: ['from_', 'to', 'subject', 'variables', 'tag'],
  properties: { ...envelope, variables: { type: 'object' }, tag },
}

/** The body of `POST /message/`. */
export const messageBody: Schema = {
  type: 'object',
  required: ['from_', 'to', 'subject', 'html', 'text', 'tag'],
  properties: { ...envelope, html: { type: ['string', 'null'] }, text: { type: ['string', 'null'] }, tag },
}

const YEAR_MS = 400 * 86_400_000

/** An e-mail gateway: a handler, and a promise to wait for what it still has to deliver. */
export interface EmailGateway extends ServiceHandler {
  idle(): Promise<void>
}

/**
 * The e-mail gateway service: `POST /template/{name}/send/`, `POST /message/`, and unsubscribing. 201 says that the
 * mail was taken; delivery goes on in the background. Bodies are not kept anywhere.
 */
export function emailGateway(options: EmailGatewayOptions): EmailGateway {
  const settings = parseOptions(optionsSchema, options, 'emailGateway')
  const logger = settings.logger ?? silentLogger
  const gateway = new Gateway(settings, logger)
  const check = credentialCheck(settings.credential)
  const guarded = (handle: (call: Call) => Promise<Answer>) => async (call: Call) => {
    await check(call.req)
    return handle(call)
  }
  const handler = createRouter(
    [
      { method: 'POST', path: '/template/{name}/send/', handle: guarded((call) => gateway.sendTemplate(call)) },
      { method: 'POST', path: '/message/', handle: guarded((call) => gateway.sendMessage(call)) },
      {
        method: 'GET',
        path: '/unsubscribe/{email}/token/{tag}/',
        handle: guarded((call) => gateway.unsubscriptions.issue(call)),
      },
      // The link in a mail: whoever holds the token may, without a credential.
      { method: 'GET', path: '/unsubscribe/{token}/', handle: (call) => gateway.unsubscriptions.accept(call) },
    ],
    { logger, redirectMissingSlash: false },
  )
  return Object.assign(handler, { idle: () => gateway.background.idle() })
}

type Content = ReturnType<MailTemplate>

class Gateway {
  readonly background: Background
  readonly unsubscriptions: Unsubscriptions
  readonly #settings: Settings
  readonly #runtime: Runtime
  readonly #logger: Logger

  constructor(settings: Settings, logger: Logger) {
    this.#settings = settings
    this.#runtime = resolveRuntime(settings.runtime)
    this.#logger = logger
    this.background = new Background(logger)
    const { state, namespace, secret, transactionalTags } = settings
    const { now } = this.#runtime
    this.unsubscriptions = new Unsubscriptions({ state, namespace, secret, transactionalTags, now })
  }

  async sendTemplate({ req, params }: Call): Promise<Answer> {
    const { value } = await readBody(req, templateBody, 262_144)
    const body = isObject(value) ? value : {}
    const name = params[0] ?? ''
    const all = { ...mailTemplates, ...this.#settings.templates }
    const template = Object.hasOwn(all, name) ? all[name] : undefined
    if (template === undefined) throw problem(404, 'There is no such template')
    const variables = member(body, 'variables')
    const content = this.#render(template, isObject(variables) ? variables : {})
    // The original's route takes cc and bcc and sends to neither.
    return this.#send({ ...body, cc: null, bcc: null }, content)
  }

  async sendMessage({ req }: Call): Promise<Answer> {
    const { value } = await readBody(req, messageBody, 1_048_576)
    const body = isObject(value) ? value : {}
    return this.#send(body, { text: stringMember(body, 'text'), html: stringMember(body, 'html') })
  }

  async #send(body: JsonObject, content: Content): Promise<Answer> {
    const { state, namespace, transport, retrySeconds, timeoutMs } = this.#settings
    const tagName = stringMember(body, 'tag')
    const wanted = {
      to: await this.unsubscriptions.wanted(listOf(body, 'to'), tagName),
      cc: await this.unsubscriptions.wanted(listOf(body, 'cc'), tagName),
      bcc: await this.unsubscriptions.wanted(listOf(body, 'bcc'), tagName),
    }
    const isWanted = wanted.to.length + wanted.cc.length + wanted.bcc.length > 0
    const { count } = await state.increment(`${namespace}:count`, { windowMs: YEAR_MS })
    const mail = { from: stringMember(body, 'from_'), ...wanted, subject: stringMember(body, 'subject'), ...content }
    const work = { retrySeconds, timeoutMs, runtime: this.#runtime, logger: this.#logger }
    const isTaken =
      !isWanted || this.background.start('mail', () => deliverWithRetries(() => transport.deliver(mail), work))
    // Said while the caller can still try again: a 201 for a mail that is then dropped would lose it without a word.
    if (!isTaken) throw unavailable('Too many mails are on their way', 30)
    const status = isWanted ? 'PARTIALLY_SKIPPED' : 'SKIPPED'
    return { status: 201, body: messageView(body, content, { id: count, status, at: wireTime(this.#runtime.now()) }) }
  }

  #render(template: MailTemplate, variables: JsonObject): Content {
    try {
      return template(variables)
    } catch (err) {
      this.#logger.error({ err }, 'a mail template failed')
      throw problem(400, 'The template cannot be made with these variables')
    }
  }
}

// A message as the original shows it.
function messageView(
  body: JsonObject,
  content: Content,
  { id, status, at }: { readonly id: number; readonly status: string; readonly at: string },
): JsonObject {
  return {
    id,
    from_: stringMember(body, 'from_'),
    // Two slips of the original that its clients know: the text of a list, and a status that says PARTIALLY for all.
    to: `[${listOf(body, 'to').map(pythonString).join(', ')}]`,
    cc: member(body, 'cc') ?? null,
    bcc: member(body, 'bcc') ?? null,
    subject: stringMember(body, 'subject'),
    tag: stringMember(body, 'tag'),
    ...content,
    status,
    created_at: at,
    updated_at: at,
  }
}

function listOf(body: JsonObject, name: string): readonly string[] {
  const value = member(body, name)
  return Array.isArray(value) ? (value as readonly unknown[]).filter((item) => typeof item === 'string') : []
}
