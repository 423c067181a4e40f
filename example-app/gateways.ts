import type { Sandbox } from 'passport-outofband/sandbox'

/** Who sends the texts and mails of the bank: gateway services with the routes of AFFO's. */
export interface GatewaySettings {
  /** Each ends in a slash. */
  readonly smsUrl: string
  readonly emailUrl: string
  /** What they ask for, if anything. */
  readonly credential: { readonly credential?: string }
}

/** What the environment says of them. */
export function readGateways(env: NodeJS.ProcessEnv): GatewaySettings | undefined {
  const { SMS_GATEWAY_URL: smsUrl, EMAIL_GATEWAY_URL: emailUrl, GATEWAY_CREDENTIAL: credential } = env
  if (!smsUrl && !emailUrl) return undefined
  if (!smsUrl || !emailUrl) throw new Error('set both of SMS_GATEWAY_URL and EMAIL_GATEWAY_URL, or none')
  return { smsUrl, emailUrl, credential: credential ? { credential } : {} }
}

/** The sandbox's: everything arrives on the simulated phone. */
export function sandboxGateways({ gateways: { smsUrl, emailUrl } }: Sandbox): GatewaySettings {
  return { smsUrl, emailUrl, credential: {} }
}
