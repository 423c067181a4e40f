import { notifyOfUnusualEvents, type Logger, type Notice } from 'passport-outofband'
import type { Accounts } from './accounts.js'
import type { GatewaySettings } from './gateways.js'
import type { Stores } from './stores.js'

/** What the notices of the bank are made of. */
export interface NoticesOptions {
  readonly accounts: Accounts
  readonly stores: Stores
  readonly gateways: GatewaySettings
  readonly logger: Logger
}

const texts: Readonly<Record<Notice['kind'], string>> = {
  'factor-added': 'A phone was connected to your account.',
  'factor-changed': 'Another phone was connected to your account.',
  'factor-removed': 'A phone was disconnected from your account.',
  denied: 'A request in your name was denied on your phone.',
  limited: 'Somebody entered many wrong codes for your account.',
}

/** Mails people what may not have been them. The result ends it. */
export function tellPeople({ accounts, stores, gateways, logger }: NoticesOptions): () => void {
  return notifyOfUnusualEvents({
    state: stores.state,
    logger,
    notify: async ({ subject, kind }) => {
      const account = await accounts.find(subject)
      if (account) await mail(gateways, account.email, `${texts[kind]} If it was not you, set a new password at once.`)
    },
  })
}

async function mail(
  { emailUrl, credential: { credential } }: GatewaySettings,
  to: string,
  text: string,
): Promise<void> {
  const answer = await fetch(`${emailUrl}message/`, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(5000),
    headers: {
      'content-type': 'application/json',
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
    },
    body: JSON.stringify({
      from_: 'bank@larch.example',
      to: [to],
      subject: 'Your account at Larch Bank',
      html: null,
      text,
      tag: 'notice',
    }),
  })
  if (!answer.ok) throw new Error(`the mail gateway answered ${answer.status}`)
}
