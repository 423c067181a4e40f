import { z } from 'zod'
import { count, maybe, text } from './wire.js'

export const appDetailsReply = z
  .object({
    message: maybe(text),
    app: z.object({
      app_id: z.int(),
      name: text,
      plan: maybe(text),
      sms_enabled: maybe(z.boolean()),
      phone_calls_enabled: maybe(z.boolean()),
      onetouch_enabled: maybe(z.boolean()),
    }),
  })
  .transform(({ app, message }) => ({
    appId: app.app_id,
    name: app.name,
    plan: app.plan,
    smsEnabled: app.sms_enabled,
    phoneCallsEnabled: app.phone_calls_enabled,
    oneTouchEnabled: app.onetouch_enabled,
    message,
  }))

export const appStatsReply = z
  .object({
    message: maybe(text),
    app_id: z.int(),
    count,
    total_users: count,
    stats: z.array(
      z
        .object({
          year: z.int(),
          month: text,
          api_calls_count: count,
          auths_count: count,
          calls_count: count,
          sms_count: count,
          users_count: count,
        })
        .transform((row) => ({
          year: row.year,
          /** In English: `August`. */
          month: row.month,
          apiCallsCount: row.api_calls_count,
          authsCount: row.auths_count,
          callsCount: row.calls_count,
          smsCount: row.sms_count,
          usersCount: row.users_count,
        })),
    ),
  })
  .transform((reply) => ({
    appId: reply.app_id,
    count: reply.count,
    totalUsers: reply.total_users,
    /** The last twelve months at most, oldest first. */
    stats: reply.stats,
    message: reply.message,
  }))
