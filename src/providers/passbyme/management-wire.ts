import { z } from 'zod'

// Field lists are known in part only, so unknown fields are kept and handed on.

/** A user of the organisation. `oid` is the permanent id; a person may have many aliases. */
export const userSchema = z.looseObject({
  oid: z.string().min(1),
  shortOID: z.string().nullish(),
  fullName: z.string().nullish(),
  email: z.string().nullish(),
  phoneNumber: z.string().nullish(),
  disabled: z.boolean().nullish(),
})
export type PassByMeUser = z.output<typeof userSchema>

/** An id of a user, good as a recipient. */
export const aliasSchema = z.looseObject({
  userId: z.string().min(1),
  oid: z.string().min(1),
  shortOID: z.string().nullish(),
})
export type PassByMeAlias = z.output<typeof aliasSchema>

/** An invitation of a person's phone. `deviceConfigUrl` binds whoever opens it first: never log it. */
export const enrollmentSchema = z.looseObject({
  enrollmentId: z.union([z.string().min(1), z.number()]).transform(String),
  expireDate: z.unknown(),
  state: z.string().nullish(),
  sent: z.unknown(),
  deviceConfigUrl: z.string().nullish(),
})
export type PassByMeEnrollment = z.output<typeof enrollmentSchema>

/** An invitation of an administrator. */
export const invitationSchema = z.looseObject({ code: z.string().nullish(), expiryDate: z.unknown() })
export type PassByMeInvitation = z.output<typeof invitationSchema>

export const administratorSchema = z.looseObject({ userId: z.string(), oid: z.string().nullish() })
export type PassByMeAdministrator = z.output<typeof administratorSchema>

export const applicationSchema = z.looseObject({
  id: z.union([z.string().min(1), z.number()]).transform(String),
  name: z.string().nullish(),
})
export type PassByMeApplication = z.output<typeof applicationSchema>

/** A phone. One without `deviceType` can't take messages. */
export const deviceSchema = z.looseObject({ vendorId: z.string().nullish(), deviceType: z.string().nullish() })
export type PassByMeDevice = z.output<typeof deviceSchema>

export const organizationSchema = z.looseObject({
  organizationId: z.unknown(),
  name: z.string().nullish(),
  pricing: z.string().nullish(),
})
export type PassByMeOrganization = z.output<typeof organizationSchema>

/** The maxima of the organisation's subscription. */
export const limitsSchema = z.looseObject({ hasManagementAPI: z.boolean().nullish() })
export type PassByMeLimits = z.output<typeof limitsSchema>

/** A page of a list. */
export interface PassByMePage<T> {
  readonly recordsTotal: number
  readonly recordsFiltered: number
  readonly data: readonly T[]
}

export function pageOf<S extends z.ZodType>(
  entry: S,
): z.ZodObject<{
  recordsTotal: z.ZodNumber
  recordsFiltered: z.ZodNumber
  data: z.ZodArray<S>
}> {
  return z.object({ recordsTotal: z.number(), recordsFiltered: z.number(), data: z.array(entry) })
}

export function listOf<S extends z.ZodType>(entry: S): z.ZodObject<{ data: z.ZodArray<S> }> {
  return z.object({ data: z.array(entry) })
}

export const activitySchema = z.looseObject({})
