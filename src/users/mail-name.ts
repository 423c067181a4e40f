/**
 * A person's name as it may stand in a mail of ours. Anybody can register anybody's address under any name, so a name is
 * no place for a message: no second line, nothing that a mail reader makes a link of, and no more than a name's length.
 */
export function nameForMail(name: string | null): string | null {
  const clean = (name ?? '')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}<>"@:\\]|https?:|\/\/|www\./giu, ' ')
    .replaceAll(/\.(?=[\p{L}\p{N}]{2})/gu, ' ')
    .trim()
  return clean === '' ? null : Array.from(clean).slice(0, 64).join('')
}
