import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Settlement } from '../approval/approvals-types.js'
import { ConfigurationError } from '../errors.js'
import { limits } from '../providers/authy/signing-fault.js'
import { Deadlines, type Timed } from './deadlines.js'
import { keyLabel } from './key-label.js'
import type { OneTouchEvent } from './one-touch-event.js'
import { deliveryKey, DeliveryMemory } from './one-touch-nonce.js'
import { type OneTouchCallbackOptions, type OneTouchSettings, oneTouchSettings } from './one-touch-options.js'
import { type CallbackReading, readCallback, type ReadOneTouchCallback } from './one-touch-reading.js'
import { RefusalLog } from './one-touch-refusals.js'
import { type BodyFault, onlyHeader, type RawBody, readRawBody, readRawQuery, type ReadRequest } from './raw-body.js'

/** A handler for Express 4, Express 5 and plain `node:http`. */
export type CallbackHandler = (req: IncomingMessage, res: ServerResponse, next?: unknown) => void

/**
 * Receives OneTouch callbacks, POST and GET: verifies, settles the approval, calls `onEvent`, then remembers the delivery.
 *
 * Mount it before any body parser, for the path of `callbackUrl`. Answers carry a status and nothing else: 200 for an
 * event that was taken (a repeat changes nothing), 403 for every refusal, 503 where the sender should come again, 500 for
 * mistakes of ours. The reason is in the log, never in the answer.
 *
 * @throws {@link InvalidOptionError} for wrong options.
 *
 * @example
 * app.use('/authy/callback', oneTouchCallback({ apiKey, callbackUrl: 'https://app.example.com/authy/callback', state, approvals }))
 * app.use(express.json())
 */
export function oneTouchCallback(options: OneTouchCallbackOptions): CallbackHandler {
  const receiver = new Receiver(oneTouchSettings(options))
  return function oneTouchCallbackHandler(req, res) {
    receiver.receive(req, res)
  }
}

type VerifiedReading = CallbackReading & { readonly ok: true }

const eaten = new ConfigurationError(
  'the body of a OneTouch callback was read before oneTouchCallback could see its bytes: mount oneTouchCallback before ' +
    'express.json() and other body parsers, or keep the bytes with express.json({ verify: (req, res, bytes) => { req.rawBody = bytes } })',
)

/** A request that is being answered. */
interface Reception extends Timed, ReadRequest {
  readonly res: ServerResponse
  /** While the body is being read. */
  stopReading: (() => void) | undefined
  /** Its body was read to the end. */
  isWhole: boolean
  isAnswered: boolean
  /** The delivery that it is the first to carry, while that is being taken. */
  taking: string | undefined
}

class Receiver {
  readonly #settings: OneTouchSettings
  readonly #memory: DeliveryMemory
  readonly #refusals: RefusalLog
  readonly #keyLabels: readonly string[]
  readonly #deadlines: Deadlines<Reception>
  // Two copies of one delivery at the same time: the second waits for the first and shares its fate.
  readonly #inFlight = new Map<string, Promise<number>>()

  constructor(settings: OneTouchSettings) {
    this.#settings = settings
    this.#memory = new DeliveryMemory(settings.state, settings.toleranceSeconds)
    this.#refusals = new RefusalLog(settings)
    this.#deadlines = new Deadlines(settings.timeLimitMs, (reception) => this.#tooLate(reception))
    this.#keyLabels = settings.apiKeys.map(keyLabel)
  }

  receive(req: IncomingMessage, res: ServerResponse): void {
    const { method, headers } = req
    const reception: Reception = {
      req,
      method,
      headers,
      res,
      stopReading: undefined,
      isWhole: false,
      isAnswered: false,
      taking: undefined,
      endsAt: 0,
      place: 0,
    }
    this.#deadlines.open(reception)
    if (method !== 'POST') this.#handle(reception, undefined)
    else reception.stopReading = readRawBody(reception, limits.bytes, (body) => this.#handle(reception, body))
  }

  // Callbacks where promises would read better: what a request leaves behind is a good part of what it costs.
  #handle(reception: Reception, body: RawBody | undefined): void {
    reception.stopReading = undefined
    reception.isWhole = typeof body === 'object'
    try {
      const status = this.#statusFor(reception, body)
      if (typeof status === 'number') this.#close(reception, status)
      else
        status.then(
          (known) => this.#close(reception, known),
          (error: unknown) => this.#fail(reception, error),
        )
    } catch (error) {
      this.#fail(reception, error)
    }
  }

  #close(reception: Reception, status: number): void {
    if (reception.taking !== undefined) this.#inFlight.delete(reception.taking)
    this.#deadlines.close(reception)
    answer(reception, status)
  }

  #fail(reception: Reception, error: unknown): void {
    this.#close(reception, 500)
    this.#settings.logger.error(
      { err: error },
      'a OneTouch callback could not be handled: answered with 500, so that it is repeated',
    )
  }

  #tooLate(reception: Reception): void {
    const { logger, timeLimitMs } = this.#settings
    answer(reception, 503)
    logger.warn({ timeLimitMs }, 'a OneTouch callback took too long: answered with 503, so that it is repeated')
    reception.stopReading?.()
  }

  #statusFor(reception: Reception, body: RawBody | undefined): number | Promise<number> {
    if (typeof body === 'string') return this.#refuseBody(reception.req, body)
    const callback = this.#callback(reception, body)
    const reading = readCallback(callback)
    if (!reading.ok) return this.#refusals.refuse(reading, reception.req, callback)
    return this.#takeOnce(reception, reading)
  }

  #takeOnce(reception: Reception, reading: VerifiedReading): Promise<number> {
    const key = deliveryKey(reading)
    const running = this.#inFlight.get(key)
    if (running) return running
    const taking = this.#take(key, reading)
    this.#inFlight.set(key, taking)
    reception.taking = key
    return taking
  }

  #callback(request: ReadRequest, rawBody: Uint8Array | undefined): ReadOneTouchCallback {
    const { apiKeys, callbackUrl, runtime, toleranceSeconds, appId } = this.#settings
    return {
      apiKey: apiKeys,
      url: callbackUrl,
      method: request.method,
      signature: onlyHeader(request, 'x-authy-signature'),
      nonce: onlyHeader(request, 'x-authy-signature-nonce'),
      rawBody,
      rawQuery: rawBody ? undefined : readRawQuery(request.req),
      nowSeconds: runtime.now() / 1000,
      toleranceSeconds,
      appId,
    }
  }

  #refuseBody(req: IncomingMessage, reason: BodyFault): number {
    if (reason !== 'eaten') return this.#refusals.refuse({ reason }, req)
    this.#settings.logger.error({ err: eaten }, eaten.message)
    return 500
  }

  /** Settles first and remembers last: whatever dies in between, the repeat does the rest. */
  async #take(key: string, reading: VerifiedReading): Promise<number> {
    const { logger, onEvent, runtime, channel } = this.#settings
    const { event, keyIndex } = reading
    const about = { channel, uuid: event.uuid, status: event.status, key: this.#keyLabels[keyIndex] }
    if (await this.#memory.find(key)) {
      logger.debug(about, 'a OneTouch callback came again: nothing changed')
      return 200
    }
    const settlement = this.#settings.approvals && (await this.#settings.approvals.settle(settlementOf(channel, event)))
    if (settlement === 'starting') {
      logger.info(
        about,
        'a OneTouch callback came before its approval was stored: answered with 503, so that it is repeated',
      )
      return 503
    }
    if (settlement === 'unknown') {
      logger.warn(
        about,
        'a OneTouch callback is signed, but not about an approval that was begun here for this person: refused',
      )
      return 403
    }
    const handled = onEvent?.(event, { settlement })
    // Nothing to wait for in the most frequent case.
    if (handled !== undefined) await Promise.resolve(handled)
    await this.#memory.remember(key, reading, runtime)
    logger.info({ ...about, settlement }, 'a OneTouch callback was taken')
    return 200
  }
}

function settlementOf(channel: string, event: OneTouchEvent): Settlement {
  return {
    channel,
    reference: event.uuid,
    recipientReference: event.authyId,
    status: event.status,
    reported: event.reported,
    ...(event.approvalId === undefined ? {} : { approvalId: event.approvalId }),
    ...(event.decidedAt === undefined ? {} : { decidedAt: event.decidedAt }),
  }
}

function answer(reception: Reception, status: number): void {
  const { req, res, isWhole, isAnswered } = reception
  if (isAnswered) return
  reception.isAnswered = true
  if (!isWhole) {
    if (res.headersSent || res.destroyed) return
    // What is left of a body that we didn't want must not be taken for the next request.
    if (!req.complete) res.setHeader('Connection', 'close')
  }
  res.statusCode = status
  res.end()
}
