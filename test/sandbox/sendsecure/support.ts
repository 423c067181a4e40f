import {
  getUserToken,
  SendSecureClient,
  type SafeBoxDraft,
  type SendSecureClientOptions,
} from 'passport-outofband/sendsecure'
import { startSandbox, type Sandbox, type SendSecureSandboxOptions } from 'passport-outofband/sandbox'

export interface Setting {
  readonly sandbox: Sandbox
  readonly client: SendSecureClient
  readonly userEmail: string
  /** Another client of the same user, with other options. */
  connect(options?: Partial<SendSecureClientOptions>): Promise<SendSecureClient>
  close(): Promise<void>
}

export const device = { deviceId: 'DV-7', deviceName: 'Build host' }

/** A sandbox, and a client that is signed in. */
export async function setUp(options: SendSecureSandboxOptions = {}): Promise<Setting> {
  const sandbox = await startSandbox({ sendsecure: options })
  const { url: endpoint, enterpriseAccount, username, password, userEmail } = sandbox.sendsecure
  const clients: SendSecureClient[] = []
  const connect = async (changes: Partial<SendSecureClientOptions> = {}): Promise<SendSecureClient> => {
    const { token, userId } = await getUserToken({ endpoint, enterpriseAccount, username, password, ...device })
    const client = new SendSecureClient({ endpoint, enterpriseAccount, token, userId, ...changes })
    clients.push(client)
    return client
  }
  const client = await connect()
  return {
    sandbox,
    client,
    userEmail,
    connect,
    close: async () => {
      for (const entry of clients) entry.close()
      await sandbox.close()
    },
  }
}

export const ana = {
  email: 'ana.reyes@client.example',
  firstName: 'Ana',
  lastName: 'Reyes',
  guestOptions: {
    companyName: 'Client Ltd',
    contactMethods: [{ destination: '+15145550111', destinationType: 'cell_phone' as const }],
  },
}

/** A SafeBox with a message, to Ana. */
export function draft(userEmail: string, changes: Partial<SafeBoxDraft> = {}): SafeBoxDraft {
  return {
    userEmail,
    participants: [ana],
    subject: 'Quarterly figures',
    message: 'Please find the figures.',
    ...changes,
  }
}

export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
