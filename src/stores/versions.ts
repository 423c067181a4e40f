let written = 0

/**
 * A source of versions that no other source gives, in this process or another, and that never repeat: so that a record
 * which was deleted and made anew is not taken for the old one.
 */
export function versionSource(randomBytes: (size: number) => Uint8Array): () => string {
  const own = Buffer.from(randomBytes(12)).toString('base64url')
  return () => {
    written += 1
    return `${own}.${written.toString(36)}`
  }
}
