import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { z } from 'zod'
import { functionOption, loggerOption, objectWith, parseOptions } from '../options.js'
import { silentLogger, type Logger } from '../runtime.js'
import { approvalEventChannel } from './events.js'
import { factorEventChannel } from './factor-events.js'
import { keyOf } from './random-id.js'
import type { StateStore } from './state-store.js'

/** Something that a person wants to hear of, because it may not have been them. */
export interface Notice {
  /** Whom to tell. Over a way that existed before: not over the phone or address that was just added. */
  readonly subject: string
  /**
   * - `factor-added`, `factor-changed`, `factor-removed`: a way in is another one than before (see `reportFactorChange`);
   * - `denied`: a question in their name was denied on a phone;
   * - `limited`: so many tries at a factor failed that no more are taken for a while.
   */
  readonly kind: 'factor-added' | 'factor-changed' | 'factor-removed' | 'denied' | 'limited'
  /** `totp`, `push`, ...; for `denied` the channel. */
  readonly factor: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What {@link notifyOfUnusualEvents} takes. */
export interface NoticesOptions {
  /** Tells the person: a mail, a message in the application. Called once for each notice; what it throws is logged. */
  readonly notify: (notice: Notice) => unknown
  /** Where it is remembered which denials and limits were told, so that an attacker's tries don't become a flood of mails. */
  readonly state: StateStore
  /** How long the same kind of denial or limit is not told again. Seconds, default one hour. Changes are always told. */
  readonly quietSeconds?: number | undefined
  readonly logger?: Logger | undefined
}

const optionsSchema = z.strictObject({
  notify: functionOption<NoticesOptions['notify']>(),
  state: objectWith<StateStore>(['putIfAbsent'], 'give a state store'),
  quietSeconds: z.int().min(1).max(86_400).default(3600),
  logger: loggerOption,
})

const changes: ReadonlyMap<string, Notice['kind']> = new Map([
  ['added', 'factor-added'],
  ['changed', 'factor-changed'],
  ['removed', 'factor-removed'],
])

/**
 * Tells people what may not have been them, as it happens in this process: each process tells of what it did itself. Call it
 * once where the application starts; the result ends it.
 *
 * @throws {@link InvalidOptionError}
 *
 * @example
 * const stop = notifyOfUnusualEvents({ state, notify: ({ subject, kind }) => mail(addressOf(subject), texts[kind]) })
 */
export function notifyOfUnusualEvents(options: NoticesOptions): () => void {
  const {
    notify,
    state,
    quietSeconds,
    logger = silentLogger,
  } = parseOptions(optionsSchema, options, 'notifyOfUnusualEvents')

  async function tell(notice: Notice): Promise<void> {
    const isRepeated = notice.kind === 'denied' || notice.kind === 'limited'
    if (isRepeated && !(await isNews(notice))) return
    await notify(notice)
  }

  async function isNews({ subject, kind, factor }: Notice): Promise<boolean> {
    const key = `notice:${keyOf(subject, kind, factor)}`
    try {
      return await state.putIfAbsent(key, true, { ttlMs: quietSeconds * 1000 })
    } catch (error) {
      // A notice too many is better than none.
      logger.warn({ subject, kind, error }, 'whether a notice was given before is not known: it is given')
      return true
    }
  }

  function handle(notice: Notice | undefined): void {
    if (!notice) return
    tell(notice).catch((error: unknown) => {
      logger.error({ subject: notice.subject, kind: notice.kind, error }, 'a person could not be told')
    })
  }

  const onFactor = (event: unknown): void => handle(noticeOfFactor(event))
  const onApproval = (event: unknown): void => handle(noticeOfApproval(event))
  subscribe(factorEventChannel, onFactor)
  subscribe(approvalEventChannel, onApproval)
  return () => {
    unsubscribe(factorEventChannel, onFactor)
    unsubscribe(approvalEventChannel, onApproval)
  }
}

// Anybody in this process can publish on these channels.
const factorEvent = z.object({ subject: z.string(), factor: z.string(), result: z.string(), at: z.number() })
const approvalEvent = z.object({ subject: z.string(), channel: z.string(), to: z.string(), at: z.number() })

function noticeOfFactor(event: unknown): Notice | undefined {
  const read = factorEvent.safeParse(event).data
  if (!read) return undefined
  const { subject, factor, result, at } = read
  const kind = result === 'limited' ? 'limited' : changes.get(result)
  return kind && { subject, kind, factor, at }
}

function noticeOfApproval(event: unknown): Notice | undefined {
  const read = approvalEvent.safeParse(event).data
  return read?.to === 'denied'
    ? { subject: read.subject, kind: 'denied', factor: read.channel, at: read.at }
    : undefined
}
