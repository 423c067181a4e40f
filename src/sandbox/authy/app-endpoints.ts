import { json } from '../http-message.js'
import type { Endpoint } from './endpoint.js'
import { lastTwelve, monthOf } from './stats.js'

/** `GET /app/details` */
export const details: Endpoint = ({ state }) =>
  json(200, {
    app: {
      name: state.settings.appName,
      plan: 'sandbox',
      sms_enabled: state.switches.smsEnabled,
      phone_calls_enabled: state.switches.callsEnabled,
      app_id: state.settings.appId,
      onetouch_enabled: state.switches.oneTouchEnabled,
    },
    message: 'Application information.',
    success: true,
  })

/** `GET /app/stats` */
export const stats: Endpoint = ({ state, now }) => {
  monthOf(state.months, now)
  const rows = lastTwelve(state.months)
  return json(200, {
    message: 'Monthly statistics.',
    count: rows.length,
    total_users: state.users().length,
    app_id: state.settings.appId,
    success: true,
    stats: rows,
  })
}
