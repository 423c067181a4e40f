import {
  ProviderProtocolError,
  ProviderRejectedError,
  ProviderTimeoutError,
  ProviderUnreachableError,
} from '../../errors.js'
import type { SafeBoxCommit } from './inputs.js'
import type { CommittedSafeBox, SafeBox } from './objects.js'
import { safeBox, securityOptionNames } from './readers.js'
import { withSecrets } from './reading.js'

/** A commit's answer is flat: the options in effect lie among the SafeBox's own fields. */
export function readCommit(
  flat: Readonly<Record<string, unknown>>,
  sent: SafeBoxCommit,
  provider: string,
): CommittedSafeBox {
  const own: Record<string, unknown> = {}
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(flat)) (securityOptionNames.has(name) ? options : own)[name] = value
  const { encryption_key: encryptionKey, preview_url: previewUrl, ...rest } = own
  const result = safeBox.safeParse({
    security_options: options,
    ...rest,
    user_email: rest['user_email'] ?? sent.userEmail,
  })
  if (!result.success) {
    const field = result.error.issues[0]?.path.map(String).join('.') ?? ''
    throw new ProviderProtocolError(provider, `the answer's field ${field} is not what is documented`)
  }
  return withSecrets(result.data, {
    encryptionKey: textOrNothing(encryptionKey),
    previewUrl: textOrNothing(previewUrl),
    publicEncryptionKey: sent.publicEncryptionKey,
  })
}

/** Whether the service may have created the SafeBox although the call failed. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof ProviderTimeoutError) return error.phase !== 'connect'
  // Refused before anything was sent.
  if (error instanceof ProviderUnreachableError)
    return !/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CIRCUIT_OPEN)$/.test(error.reason)
  if (error instanceof ProviderRejectedError) return error.status >= 500
  return error instanceof ProviderProtocolError
}

/** Reads the SafeBox a few times: a commit that answers late may still be at work. Undefined if it never shows up. */
export async function commitOutcome(
  read: () => Promise<SafeBox>,
  { sleep }: { readonly sleep: (ms: number) => Promise<void> },
): Promise<SafeBox | undefined> {
  for (const pauseMs of [0, 500, 1500, 3000]) {
    if (pauseMs > 0) await sleep(pauseMs)
    try {
      return await read()
    } catch (error) {
      if (
        !isUnanswered(error) &&
        !(error instanceof ProviderRejectedError) &&
        !(error instanceof ProviderUnreachableError)
      )
        throw error
    }
  }
  return undefined
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
