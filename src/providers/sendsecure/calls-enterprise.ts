import { z } from 'zod'
import { ProviderRejectedError } from '../../errors.js'
import { encodeSegment } from '../http.js'
import { CallsBase, type CallOptions } from './calls-base.js'
import { idOf, present } from './checks.js'
import type { RecipientSuggestion } from './objects.js'
import { consentMessageGroup, enterpriseSettings, securityProfile, userSettings } from './readers-settings.js'
import { recipientSuggestion } from './readers.js'
import type { ConsentMessageGroup, EnterpriseSettings, SecurityProfile, UserSettings } from './settings.js'

/** Operations on the enterprise and its users. */
export abstract class EnterpriseCalls extends CallsBase {
  #autocomplete: 'recipients' | 'participants' = 'recipients'

  /** What the enterprise allows and demands. */
  async getEnterpriseSettings(call: CallOptions = {}): Promise<EnterpriseSettings> {
    const path = `${this.enterprisePath}/settings.json`
    return this.connection.read(
      { operation: 'get_enterprise_settings', method: 'GET', path, ...call },
      enterpriseSettings,
    )
  }

  /** The security profiles that a user may choose from. */
  async getSecurityProfiles(userEmail: string, call: CallOptions = {}): Promise<readonly SecurityProfile[]> {
    present('userEmail', userEmail, 'SafeBox user email cannot be null')
    const answer = await this.connection.read(
      {
        operation: 'get_security_profiles',
        method: 'GET',
        path: `${this.enterprisePath}/security_profiles.json`,
        query: { user_email: userEmail },
        ...call,
      },
      z.object({ security_profiles: z.array(securityProfile) }),
    )
    return answer.security_profiles
  }

  /** The enterprise's default profile, if it has one and this user may use it. */
  async getDefaultSecurityProfile(userEmail: string, call: CallOptions = {}): Promise<SecurityProfile | undefined> {
    const [settings, profiles] = await Promise.all([
      this.getEnterpriseSettings(call),
      this.getSecurityProfiles(userEmail, call),
    ])
    return profiles.find(({ id }) => id === settings.defaultSecurityProfileId)
  }

  /** The texts behind a `consentGroupId`. */
  async getConsentGroupMessages(consentGroupId: number, call: CallOptions = {}): Promise<ConsentMessageGroup> {
    const id = encodeSegment('consentGroupId', idOf('consentGroupId', consentGroupId, 'consentGroupId cannot be null'))
    const path = `${this.enterprisePath}/consent_message_groups/${id}`
    const answer = await this.connection.read(
      { operation: 'get_consent_group_messages', method: 'GET', path, ...call },
      z.object({ consent_message_group: consentMessageGroup }),
    )
    return answer.consent_message_group
  }

  /** The preferences of the client's user. @throws {@link InvalidInputError} without a `userId`. */
  async userSettings(call: CallOptions = {}): Promise<UserSettings> {
    const path = `${this.userPath}/settings.json`
    return this.connection.read({ operation: 'user_settings', method: 'GET', path, ...call }, userSettings)
  }

  /** Users and favorites whose name, address or company has `term` in it. */
  async searchRecipient(term: string, call: CallOptions = {}): Promise<readonly RecipientSuggestion[]> {
    present('term', term, 'Search term cannot be null')
    const search = async (): Promise<readonly RecipientSuggestion[]> => {
      const path = `/api/v2/${this.#autocomplete}/autocomplete`
      const request = { operation: 'search_recipient', method: 'GET', path, query: { term }, ...call } as const
      return (await this.connection.read(request, z.object({ results: z.array(recipientSuggestion) }))).results
    }
    try {
      return await search()
    } catch (error) {
      // The path was renamed in 2019; an older service knows the old one only.
      if (!(error instanceof ProviderRejectedError && error.status === 404 && this.#autocomplete === 'recipients'))
        throw error
      this.#autocomplete = 'participants'
      return search()
    }
  }
}
