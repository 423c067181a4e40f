import { join } from 'node:path'
import type { JsonValue } from './values.js'
import type { StandInContext } from '../stand-in.js'
import type {
  Box,
  ContactMethod,
  DownloadTicket,
  Draft,
  Favorite,
  Profile,
  StoredFile,
  UploadTicket,
  User,
} from './model.js'
import type { SendSecureSandboxOptions } from './options.js'
import { seedProfiles, seedSettings } from './seed.js'

const HOUR = 3_600_000

/** Addresses of the three origins, without trailing slashes; known once all listen. */
export interface Origins {
  portal: string
  application: string
  fileServer: string
}

/** Ways to behave otherwise than usual, for tests of clients. */
export interface SendSecureQuirks {
  /** Discovery answers without the slash at the end. */
  noTrailingSlash: boolean
  /** Page URLs of the list are absolute. */
  absolutePages: boolean
  /** Only `participants/autocomplete` is known. */
  oldAutocompleteOnly: boolean
  /** The next uploads are cut after so many bytes of their body, one for each entry. */
  readonly resetUploadsAfter: number[]
  /** The next uploads are not read on after so many bytes, one for each entry. */
  readonly stallUploadsAfter: number[]
}

/** Everything that one enterprise has. */
export class SendSecureState {
  readonly context: StandInContext
  readonly origins: Origins = { portal: '', application: '', fileServer: '' }
  readonly enterpriseAccount: string
  readonly enterpriseId = 12
  readonly settings: Record<string, JsonValue>
  readonly profiles: readonly Profile[] = seedProfiles()
  readonly users: readonly User[]
  readonly tokens = new Map<string, User>()
  readonly drafts = new Map<string, Draft>()
  readonly boxes = new Map<string, Box>()
  readonly files = new Map<string, StoredFile>()
  readonly uploads = new Map<string, UploadTicket>()
  readonly downloads = new Map<string, DownloadTicket>()
  readonly quirks: SendSecureQuirks = {
    noTrailingSlash: false,
    absolutePages: false,
    oldAutocompleteOnly: false,
    resetUploadsAfter: [],
    stallUploadsAfter: [],
  }
  /** Requests to the portal or the file server that carried a token: a defect of the client. */
  strayTokens = 0
  readonly #folder: Promise<string>
  #nextId = 500

  constructor(context: StandInContext, options: SendSecureSandboxOptions) {
    this.context = context
    this.enterpriseAccount = options.enterpriseAccount ?? 'northwind'
    this.settings = { ...seedSettings(), ...withoutUndefined(options.settings ?? {}) }
    const email = options.userEmail ?? 'mira.olsen@northwind.example'
    const password = options.password ?? `sandbox-${this.random(12)}`
    const { username = 'mira.olsen', oneTimePassword } = options
    const now = context.now()
    this.users = [
      {
        id: 4107,
        email,
        firstName: 'Mira',
        lastName: 'Olsen',
        username,
        password,
        oneTimePassword,
        favorites: [ana(now)],
      },
      {
        id: 4210,
        email: 'anatole.roy@northwind.example',
        firstName: 'Anatole',
        lastName: 'Roy',
        username: 'anatole.roy',
        password,
        oneTimePassword: undefined,
        favorites: [],
      },
    ]
    this.#folder = context.directory()
  }

  now(): number {
    return this.context.now()
  }

  random(bytes: number): string {
    return Buffer.from(this.context.runtime.randomBytes(bytes)).toString('hex')
  }

  /** 64 characters of the base64url alphabet. */
  key(): string {
    return Buffer.from(this.context.runtime.randomBytes(48)).toString('base64url')
  }

  nextId(): number {
    return this.#nextId++
  }

  async filePath(id: string): Promise<string> {
    return join(await this.#folder, id)
  }

  userByEmail(email: string | undefined): User | undefined {
    return this.users.find((user) => user.email.toLowerCase() === email?.toLowerCase())
  }

  /** An address of the file server; opaque, and ending in `=` now and then as real ones do. */
  uploadUrl(guid: string, size?: number): string {
    const path = `${this.random(12)}=`
    this.uploads.set(path, { guid, size, expiresAt: this.now() + 24 * HOUR })
    return `${this.origins.fileServer}/xmss/${path}`
  }

  downloadUrl(file: StoredFile, participantId: string): string {
    const path = this.random(13)
    this.downloads.set(path, { file, participantId, expiresAt: this.now() + HOUR })
    return `${this.origins.fileServer}/xmss/${path}`
  }

  newDraft(user: User): Draft {
    const draft = { guid: this.random(16), key: this.key(), user, expiresAt: this.now() + 24 * HOUR }
    this.drafts.set(draft.guid, draft)
    return draft
  }

  changed(): void {
    this.context.hub.changed()
  }
}

function withoutUndefined(values: object): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  )
}

function ana(now: number): Favorite {
  const method: ContactMethod = {
    id: 71,
    destination: '+15145550111',
    destinationType: 'cell_phone',
    verified: false,
    createdAt: now,
    updatedAt: now,
  }
  return {
    id: 61,
    email: 'ana.reyes@client.example',
    firstName: 'Ana',
    lastName: 'Reyes',
    companyName: 'Client Ltd',
    alwaysPromote: false,
    orderNumber: 1,
    contactMethods: [method],
    createdAt: now,
    updatedAt: now,
  }
}
