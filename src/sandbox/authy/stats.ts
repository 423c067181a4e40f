/** One row of the monthly statistics. Exactly these seven keys: a strict client refuses any other. */
export interface MonthRow {
  sms_count: number
  calls_count: number
  users_count: number
  auths_count: number
  readonly month: string
  api_calls_count: number
  readonly year: number
}

const names = 'January February March April May June July August September October November December'.split(' ')

/** The row of the month that `now` lies in; made when there is none yet. */
export function monthOf(months: Map<string, MonthRow>, now: number): MonthRow {
  const date = new Date(now)
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth()
  const key = `${year}-${String(month).padStart(2, '0')}`
  const row = months.get(key) ?? {
    sms_count: 0,
    calls_count: 0,
    users_count: 0,
    auths_count: 0,
    month: names[month] ?? '',
    api_calls_count: 0,
    year,
  }
  months.set(key, row)
  return row
}

/** At most the last twelve months, oldest first. */
export function lastTwelve(months: Map<string, MonthRow>): readonly MonthRow[] {
  return [...months.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(-12)
    .map(([, row]) => row)
}
