/** Adds a time of the API's units to a moment. Months and years are calendar ones, in UTC. */
export function addUnits(from: number, value: number, unit: string): number {
  const hours = { hours: 1, days: 24, weeks: 168 }[unit]
  if (hours !== undefined) return from + value * hours * 3_600_000
  const months = { months: value, years: value * 12 }[unit] ?? 0
  const date = new Date(from)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  // The 31st of January and one month is the last day of February.
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return date.getTime()
}

/** An absolute expiration: date, time and zone (`±HH:MM`, `±HHMM`, `Z`, or empty for UTC). Undefined if it is none. */
export function absoluteTime(date: string, time: string, zone: string): number | undefined {
  const offset = zone === '' ? 'Z' : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
  const at = Date.parse(`${date}T${time}${offset}`)
  return Number.isNaN(at) ? undefined : at
}
