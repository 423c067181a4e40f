import type { StandInContext } from '../stand-in.js'

/** A text as a gateway takes it. */
export interface IncomingText {
  readonly from?: string
  readonly to: string
  readonly text: string
}

/** Puts a text on the phone. `via`: which gateway of several brought it. */
export function deliverText({ hub, provider }: StandInContext, { from, to, text }: IncomingText, via?: string): void {
  const origin = { ...(from === undefined ? {} : { from }), ...(via === undefined ? {} : { via }) }
  hub.deliver({ provider, kind: 'sms', ...origin, to, text, ...codeIn(text) })
}

/** The code in a text: four to eight digits that stand alone, no part of an address, a number or a word. */
export function codeIn(text: string): { readonly code?: string } {
  const code = /(?<![^\s:([<])\d{4,8}(?![^\s.,;!?)\]>]|[.,]\d)/.exec(text)?.[0]
  return code === undefined ? {} : { code }
}
