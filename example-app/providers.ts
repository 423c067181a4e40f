import type { ApprovalChannel } from 'passport-outofband'
import { ActiveconnectClient, activeconnectChannel } from 'passport-outofband/activeconnect'
import { PassByMeClient, passByMeChannel, PassByMeManagementClient } from 'passport-outofband/passbyme'
import type { Sandbox } from 'passport-outofband/sandbox'

export interface PassByMeSettings {
  readonly url: string | undefined
  readonly managementUrl: string | undefined
  /** The application's certificate and key, and the organisation's: PEM files. */
  readonly pem: string
  readonly organisationPem: string
  readonly passphrase: string
  readonly ca: string | undefined
  /** The PassBy[ME] ids of those who approve large transfers. */
  readonly officers: readonly string[]
}

export interface ActiveconnectSettings {
  readonly url: string | undefined
  readonly applicationId: string
  readonly applicationSecret: string
}

/** Which providers there are beside Authy. */
export interface ProviderSettings {
  readonly passbyme: PassByMeSettings | undefined
  readonly activeconnect: ActiveconnectSettings | undefined
}

/** What the bank asks the other providers with. */
export interface Providers {
  readonly passbyme:
    | {
        readonly client: PassByMeClient
        readonly management: PassByMeManagementClient
        readonly officers: readonly string[]
      }
    | undefined
  readonly activeconnect: ActiveconnectClient | undefined
}

/** What the environment says of them. A provider that isn't set isn't offered. */
export function readProviders(env: NodeJS.ProcessEnv): ProviderSettings {
  const pem = env['PASSBYME_PEM']
  const applicationId = env['ACTIVECONNECT_APPLICATION_ID']
  return {
    passbyme:
      pem === undefined
        ? undefined
        : {
            url: env['PASSBYME_URL'],
            managementUrl: env['PASSBYME_MANAGEMENT_URL'],
            pem,
            organisationPem: needed(env, 'PASSBYME_ORGANISATION_PEM'),
            passphrase: needed(env, 'PASSBYME_PASSPHRASE'),
            ca: env['PASSBYME_CA'],
            officers: (env['PASSBYME_OFFICERS'] ?? '').split(/[\s,]+/).filter((id) => id !== ''),
          },
    activeconnect:
      applicationId === undefined
        ? undefined
        : {
            url: env['ACTIVECONNECT_URL'],
            applicationId,
            applicationSecret: needed(env, 'ACTIVECONNECT_APPLICATION_SECRET'),
          },
  }
}

/** The sandbox's. Its users of PassBy[ME] have a phone from the start: they are the officers. */
export function sandboxProviders({ passbyme, activeconnect }: Sandbox): ProviderSettings {
  return {
    passbyme: {
      url: passbyme.url,
      managementUrl: passbyme.managementUrl,
      pem: passbyme.pemFile,
      organisationPem: passbyme.organisationPemFile,
      passphrase: passbyme.passphrase,
      ca: passbyme.caFile,
      officers: passbyme.users,
    },
    activeconnect: {
      url: activeconnect.url,
      applicationId: activeconnect.applicationId,
      applicationSecret: activeconnect.applicationSecret,
    },
  }
}

export function openProviders({ passbyme, activeconnect }: ProviderSettings): Providers {
  return {
    passbyme: passbyme && openPassByMe(passbyme),
    activeconnect:
      activeconnect &&
      new ActiveconnectClient({
        applicationId: activeconnect.applicationId,
        applicationSecret: activeconnect.applicationSecret,
        baseUrl: activeconnect.url,
      }),
  }
}

/** Their channels. The management client tells which ids of PassBy[ME] are one person's. */
export function channelsOf({ passbyme, activeconnect }: Providers): readonly ApprovalChannel[] {
  return [
    ...(passbyme ? [passByMeChannel(passbyme.client, { subject: 'Larch Bank', management: passbyme.management })] : []),
    ...(activeconnect ? [activeconnectChannel(activeconnect)] : []),
  ]
}

function openPassByMe(settings: PassByMeSettings): Providers['passbyme'] {
  const { passphrase, ca, officers } = settings
  const common = { passphrase, ...(ca !== undefined && { ca }) }
  return {
    client: new PassByMeClient({ ...common, cert: settings.pem, ...urlOption(settings.url) }),
    management: new PassByMeManagementClient({
      ...common,
      cert: settings.organisationPem,
      ...urlOption(settings.managementUrl),
    }),
    officers,
  }
}

function urlOption(url: string | undefined): { readonly baseUrl?: string } {
  return url === undefined ? {} : { baseUrl: url }
}

function needed(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]
  if (value === undefined || value === '') throw new Error(`set ${name} too`)
  return value
}
