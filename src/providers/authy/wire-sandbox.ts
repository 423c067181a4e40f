/**
 * Keys that the sandbox gives out begin like this and are otherwise as long as real ones, so that a client can refuse
 * to send one to the real service (and nobody takes one for a secret).
 */
export const sandboxApiKeyPrefix = 'sandbox'

export function isSandboxApiKey(apiKey: string): boolean {
  return apiKey.startsWith(sandboxApiKeyPrefix)
}
