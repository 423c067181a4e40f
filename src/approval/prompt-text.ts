import { InvalidInputError } from '../errors.js'

// Everything that can't be seen, or that changes the direction or order of what is seen. U+200C and U+200D stay: some
// scripts and emoji are wrong without them.
const unfit = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu

/**
 * Makes text from outside (a browser's name, a place) fit for a prompt on somebody's phone: without control and
 * direction-changing characters, white space folded, cut to `max` characters. Cut only what is not approved: text that
 * says what is approved goes through {@link checkPromptText}.
 */
export function promptText(text: string, max: number): string {
  const clean = text.toWellFormed().replace(unfit, ' ').replace(/\s+/gu, ' ').trim()
  const characters = Array.from(clean)
  return characters.length <= max ? clean : `${characters.slice(0, max - 1).join('')}…`
}

/** Refuses text that a person could read otherwise than it is (CIBA's binding_message; OWASP on text injection). */
export function checkPromptText(field: string, text: string, max: number): string {
  const length = Array.from(text).length
  if (text.trim() === '' || length > max)
    throw new InvalidInputError(field, `${field} must have 1 to ${max} characters`)
  if (!text.isWellFormed() || text.search(unfit) !== -1) {
    throw new InvalidInputError(field, `${field} holds control or direction-changing characters; see promptText()`)
  }
  return text
}
