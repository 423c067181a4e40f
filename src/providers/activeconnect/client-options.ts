import { z } from 'zod'
import type { Logger, Runtime } from '../../runtime.js'
import { transportOptionShape, type PemInput } from '../http.js'
import { sealingKeysOption, type ActiveconnectSealingKey } from './sealing.js'
import { knobOptions, type ActiveconnectKnobOptions } from './signing-knobs.js'

/** Where the service is unless `baseUrl` says otherwise. */
export const ACTIVECONNECT_BASE_URL = 'https://activeconnect.activeapi.ninja'

/** Options of an ActiveconnectClient. The knobs of the signature (`tokenNonce`, `uriForm`, ...) come on top of `dialect`. */
export interface ActiveconnectClientOptions extends ActiveconnectKnobOptions {
  /** The application's id at the provider. */
  readonly applicationId: string
  /** The application's secret. Never logged, never shown. */
  readonly applicationSecret: string
  /** Default {@link ACTIVECONNECT_BASE_URL}. `https:`, or `http:` on loopback. */
  readonly baseUrl?: string | undefined
  /** Other origins to which `status_url` and `logout_url` may lead, such as `https://eu.example`. Default: only that of `baseUrl`. */
  readonly allowedOrigins?: readonly string[] | undefined
  /** Keys that seal sessions: the first seals, all of them open. Default: one derived from the application's secret. */
  readonly sealingKeys?: readonly ActiveconnectSealingKey[] | undefined
  /** Certificate authorities to trust beside the built-in ones, as PEM. */
  readonly ca?: PemInput | readonly PemInput[] | undefined
  /** Deadline of a call in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | undefined
  /** Deadline of a new connection in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Longest answer in bytes. Default 1 MiB. */
  readonly maxResponseBytes?: number | undefined
  readonly runtime?: Partial<Runtime> | undefined
  readonly logger?: Logger | undefined
}

const pem = z.union([z.string().min(1), z.instanceof(Uint8Array)])

/** @internal */
export const clientOptions = z.strictObject({
  ...transportOptionShape,
  ...knobOptions,
  applicationId: z
    .string()
    .regex(/^[^\s:]+$/, "give the application's id, without ':' and white space")
    .max(256),
  applicationSecret: z.string().min(1, "give the application's secret"),
  allowedOrigins: z.array(z.string().refine(isOrigin, 'give origins such as https://eu.example')).default([]),
  sealingKeys: sealingKeysOption.optional(),
  ca: z.union([pem, z.array(pem).min(1)]).optional(),
})

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}
