import { z } from 'zod'
import type { AuthyApi, Refusal } from './api.js'
import {
  callSignal,
  codeInput,
  ipInput,
  localeInput,
  parseInput,
  signalInput,
  text,
  uuidInput,
  type RequesterOptions,
  type MethodOptions,
} from './input.js'
import { phoneShape, sendToPhone, splitPhone, type PhoneInput } from './phone-number.js'
import {
  checkVerificationReply,
  phoneInfoReply,
  startVerificationReply,
  verificationStatusReply,
} from './wire-phones.js'
import { authyCodes } from './wire.js'

/** A phone number to verify. */
export interface StartVerification extends PhoneInput, RequesterOptions {
  /** Default `sms`. */
  readonly via?: 'sms' | 'call' | undefined
  /** Language of the message, such as `pt-BR`. Left out: the language of the country. */
  readonly locale?: string | undefined
  /** Digits of the code, 4 to 10. Default 6 (the service's own default is 4), or the length of `customCode`. */
  readonly codeLength?: number | undefined
  /** A code of your own, 4 to 10 digits, where the application may. */
  readonly customCode?: string | undefined
  /** A text of your own, where the application may. */
  readonly customMessage?: string | undefined
}

/** A code that somebody entered. */
export interface CheckVerification extends PhoneInput, MethodOptions {
  /** 4 to 10 digits, as text. */
  readonly code: string
}

/** Which verification: by the id that the start returned, or by number. */
export type WhichVerification = MethodOptions & (PhoneInput | { readonly uuid: string })

/** A phone number to look up. */
export type PhoneQuery = PhoneInput & RequesterOptions

/** What became of the start of a verification. */
export type VerificationStarted = z.output<typeof startVerificationReply>
/** How far a verification has come. */
export type VerificationStatus = z.output<typeof verificationStatusReply>
/** What the service knows of a number. */
export type PhoneInfo = z.output<typeof phoneInfoReply>
/** The verdict on a code. */
export type CodeVerdict =
  | { readonly valid: true; readonly message: string }
  | {
      readonly valid: false
      /** `none-pending`: nothing was sent to that number, or it is over. */
      readonly reason: 'wrong' | 'none-pending'
    }

const startInput = z.strictObject({
  ...phoneShape,
  via: z.enum(['sms', 'call']).optional(),
  locale: localeInput.optional(),
  codeLength: z.int({ error: 'give a whole number' }).min(4).max(10).optional(),
  customCode: codeInput.optional(),
  customMessage: text(1, 1000).optional(),
  ip: ipInput.optional(),
  signal: signalInput,
})
const checkInput = z.strictObject({ ...phoneShape, code: codeInput, signal: signalInput })
const statusInput = z.union([
  z.strictObject({ uuid: uuidInput, signal: signalInput }),
  z.strictObject({ ...phoneShape, signal: signalInput }),
])
const infoInput = z.strictObject({ ...phoneShape, ip: ipInput.optional(), signal: signalInput })
const base = '/protected/json/phones'

/** `client.phones`: codes to numbers without a user, and what is known of a number. */
export class AuthyPhones {
  readonly #api: AuthyApi

  /** @internal */
  constructor(api: AuthyApi) {
    this.#api = api
  }

  /** Sends a code to a number. It lives ten minutes; another start before that sends the same code and does not extend it. */
  async startVerification(input: StartVerification, call: MethodOptions = {}): Promise<VerificationStarted> {
    const operation = 'phones.startVerification'
    const {
      via = 'sms',
      locale,
      codeLength,
      customCode,
      customMessage,
      ip,
      signal,
      ...phone
    } = parseInput(startInput, input, operation)
    const { country_code, phone_number } = wirePhone(phone)
    const json = {
      code_length: codeLength ?? customCode?.length ?? 6,
      country_code,
      ...(customCode !== undefined && { custom_code: customCode }),
      ...(customMessage !== undefined && { custom_message: customMessage }),
      ...(locale !== undefined && { locale }),
      phone_number,
      ...(ip !== undefined && { user_ip: ip }),
      via,
    }
    const sends = sendToPhone({ countryCode: country_code, national: phone_number }, ip)
    const path = `${base}/verification/start`
    const reply = startVerificationReply
    const request = { operation, method: 'POST', path, label: path, json, reply, sends } as const
    return this.#api.call(request, callSignal(operation, call, { signal }))
  }

  /** Checks a code. A wrong one is a result, an outage is an error. A good check ends the verification, so the call is never repeated. Limit the tries: four digits are 10,000 guesses. */
  async checkVerification(input: CheckVerification, call: MethodOptions = {}): Promise<CodeVerdict> {
    const operation = 'phones.checkVerification'
    const { code, signal, ...phone } = parseInput(checkInput, input, operation)
    const path = `${base}/verification/check`
    return this.#api.call<CodeVerdict>(
      {
        operation,
        method: 'GET',
        path,
        label: path,
        query: { ...wirePhone(phone), verification_code: code },
        reply: checkVerificationReply.transform(({ message }) => ({ valid: true as const, message })),
        secrets: [code],
        normal: wrongCode,
      },
      callSignal(operation, call, { signal }),
    )
  }

  /** Asks how far a verification has come. */
  async verificationStatus(which: WhichVerification, call: MethodOptions = {}): Promise<VerificationStatus> {
    const operation = 'phones.verificationStatus'
    const { signal, ...given } = parseInput(statusInput, which, operation)
    const query = 'uuid' in given ? { uuid: given.uuid } : wirePhone(given)
    return this.#read(
      operation,
      'verification/status',
      query,
      verificationStatusReply,
      callSignal(operation, call, { signal }),
    )
  }

  /** Looks a number up. */
  async info(phoneQuery: PhoneQuery, call: MethodOptions = {}): Promise<PhoneInfo> {
    const operation = 'phones.info'
    const { signal, ip, ...phone } = parseInput(infoInput, phoneQuery, operation)
    const query = { ...wirePhone(phone), user_ip: ip }
    return this.#read(operation, 'info', query, phoneInfoReply, callSignal(operation, call, { signal }))
  }

  async #read<T>(
    operation: string,
    route: string,
    query: Readonly<Record<string, string | number | undefined>>,
    reply: z.ZodType<T>,
    call: MethodOptions,
  ): Promise<T> {
    const path = `${base}/${route}`
    return this.#api.call({ operation, method: 'GET', path, label: path, query, reply, repeatable: true }, call)
  }
}

function wirePhone(phone: PhoneInput): { country_code: number; phone_number: string } {
  const { countryCode, national } = splitPhone(phone)
  return { country_code: countryCode, phone_number: national }
}

function wrongCode({ status, body }: Refusal): CodeVerdict | undefined {
  const code = body.error_code ?? undefined
  if (status === 401 && code === authyCodes.verificationCodeIncorrect) return { valid: false, reason: 'wrong' }
  if (status === 404 && code === authyCodes.noPendingVerification) return { valid: false, reason: 'none-pending' }
  return undefined
}
