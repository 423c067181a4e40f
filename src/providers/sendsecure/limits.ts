import { AttachmentRefusedError } from '../../errors.js'
import type { EnterpriseSettings } from './settings.js'

const units: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 }

/**
 * The longest file in bytes that the settings allow; undefined when they state none. The reference knows no value of the
 * unit, so its usual names are read (`kb`, `MB`, `megabytes`, `gigabyte`, `bytes`). A unit that is none of these is read
 * as bytes: too strict is noticed, too lax is not.
 */
export function maxFileBytes(settings: EnterpriseSettings): number | undefined {
  const { maxFileSizeValue: value, maxFileSizeUnit: unit } = settings
  if (value === undefined) return undefined
  const word = (unit ?? '').toLowerCase().replace(/bytes?$/, 'b')
  const short = { kilob: 'kb', megab: 'mb', gigab: 'gb', terab: 'tb' }[word] ?? word
  return value * (Object.hasOwn(units, short) ? (units[short] ?? 1) : 1)
}

/**
 * Whether the enterprise's extension filter lets a name through. Extensions are compared without regard to case; a name
 * without one is refused in either mode, as the vendor's own uploader does.
 */
export function extensionAllowed(settings: EnterpriseSettings, filename: string): boolean {
  const filter = settings.extensionFilter
  if (!filter) return true
  const extension = /\.([^.\s]+)\s*$/.exec(filename)?.[1]?.toLowerCase()
  if (extension === undefined) return false
  const listed = filter.list.some((entry) => entry.replace(/^\./, '').toLowerCase() === extension)
  // A mode that is unknown is read as a list of what is allowed.
  return filter.mode === 'forbid' ? !listed : listed
}

/**
 * Checks one attachment against the enterprise's own settings.
 *
 * @param size - bytes; undefined when not known yet.
 * @throws {@link AttachmentRefusedError}
 */
export function checkLimits(settings: EnterpriseSettings, filename: string, size: number | undefined): void {
  if (!extensionAllowed(settings, filename)) throw new AttachmentRefusedError('extension', filename)
  const limit = maxFileBytes(settings)
  if (limit !== undefined && size !== undefined && size > limit) throw new AttachmentRefusedError('size', filename)
}
