/** Secrets that the sandbox gives out begin with this, so that a client never takes one to the real service. */
export const sandboxSecretPrefix = 'sandbox'

/** Whether a secret came from a sandbox. */
export function isSandboxSecret(secret: string): boolean {
  return secret.startsWith(sandboxSecretPrefix)
}
