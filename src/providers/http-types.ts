import type { JsonValue } from '../approval/json.js'

/** Header names and values. Names are compared without case. */
export type HttpHeaders = Readonly<Record<string, string>>

/** Query parameters, sent in this order; an undefined value is left out. */
export type HttpQuery = Readonly<Record<string, string | number | boolean | undefined>>

/** A body that is produced while it is sent. It is read once, so such a request is never repeated. */
export interface HttpStreamBody {
  readonly stream: AsyncIterable<Uint8Array>
  /** Bytes that the stream will give. Without it the body goes out chunked. */
  readonly contentLength?: number | undefined
}

/** One request to a provider. Either `path` or `url`. */
export interface HttpRequest {
  /** What the call does, for logs and events: `users.create`. */
  readonly operation: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the base URL, beginning with a slash, already encoded: see `encodePath`. */
  readonly path?: string | undefined
  /** An absolute URL instead of `path`, such as an upload address that the provider gave. Default headers go only to the origin of the base URL. */
  readonly url?: string | undefined
  /** The path as it may be written into logs, without ids and tokens: `/verify/{token}/{id}`. Left out: no path is logged. */
  readonly label?: string | undefined
  readonly query?: HttpQuery | undefined
  /** A function is called anew for each try, with the URL that is called: for signed requests, whose nonce may not repeat. */
  readonly headers?:
    | HttpHeaders
    | ((target: { readonly url: string; readonly method: string }) => HttpHeaders | Promise<HttpHeaders>)
    | undefined
  /** Sent as `application/json`. Not together with `body`. */
  readonly json?: JsonValue | undefined
  /** Sent as it is; give its `content-type` in `headers`. */
  readonly body?: string | Uint8Array | HttpStreamBody | undefined
  readonly signal?: AbortSignal | undefined
  /** Deadline of this call with all its repeats, in milliseconds; the transport's own if left out. */
  readonly timeoutMs?: number | undefined
  /** Whether a second try is harmless. Never for anything that sends, creates or uses something up. Default false. */
  readonly repeatable?: boolean | undefined
  readonly maxResponseBytes?: number | undefined
  /** Secrets of this call, such as a token in the path: removed from what errors quote of its answer. */
  readonly secrets?: readonly string[] | undefined
}

/** What a provider says about a refusal, read from the body of its answer. */
export interface ProviderComplaint {
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/** What is published on the diagnostics channel `passport-outofband:provider-call` when a call ends. */
export interface ProviderCallEvent {
  readonly provider: string
  readonly operation: string
  readonly method: string
  /** The path's label, never the path. */
  readonly path: string | undefined
  /** HTTP status of the last answer, if there was one. */
  readonly status: number | undefined
  /** How many times the request was sent. */
  readonly tries: number
  /** Milliseconds from the call to the end of the answer. */
  readonly durationMs: number
  /** Undefined when an answer came completely; else the error's code, or `ABORTED`. */
  readonly error: string | undefined
}
