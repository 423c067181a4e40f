import { z } from 'zod'
import type { StateStore } from '../approval/state-store.js'
import { fullUrlOf, type HttpRequest } from './http-request.js'
import { safeReturnPath } from './return-path.js'
import { heldApproval } from './session.js'

/** The request that waits for its approval, as a form to be sent again. */
export interface ResubmitForm {
  /** A path on this site. */
  readonly action: string
  /** Names and values, in order. A name may come more than once. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** The whole form, escaped, with a button. It needs no script. */
  readonly html: string
}

/** What {@link resubmitForm} takes. */
export interface ResubmitFormOptions {
  /** The store that `requireApproval` was given. */
  readonly state: StateStore
  /** The application's CSRF field, where its token is made anew for each page: takes the place of the one that came. */
  readonly csrf?: { readonly field: string; readonly token: string }
  /** The button's label. Default `Continue`. */
  readonly label?: string
}

/** The longest form that is kept, in bytes of its names and values. */
export const MAX_FORM_BYTES = 65_536

const MAX_DEPTH = 8
const storedForm = z.object({ action: z.string(), fields: z.array(z.tuple([z.string(), z.string()])) })

/**
 * The form of the original fields for a waiting page, to be sent again once the person has approved. Only for the session
 * that sent it first; nothing when there is none.
 *
 * @example
 * app.get('/approvals/:id', async (req, res) => {
 *   const form = await resubmitForm(req, req.params.id, { state, csrf: { field: '_csrf', token: tokenOf(req) } })
 *   res.render('waiting', { form: form?.html })
 * })
 */
export async function resubmitForm(
  req: HttpRequest,
  id: string,
  options: ResubmitFormOptions,
): Promise<ResubmitForm | undefined> {
  if (heldApproval(req, id) === undefined) return undefined
  const stored = storedForm.safeParse((await options.state.get(formKey(id)))?.value).data
  if (!stored) return undefined
  const { csrf, label = 'Continue' } = options
  const others = csrf ? stored.fields.filter(([name]) => name !== csrf.field) : stored.fields
  const fields = csrf ? [...others, [csrf.field, csrf.token] as const] : others
  const inputs = fields.map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
  const button = `<button type="submit">${escape(label)}</button>`
  const html = `<form method="post" action="${escape(stored.action)}" data-outofband-resubmit>${inputs.join('')}${button}</form>`
  return { action: stored.action, fields, html }
}

/** The form of a request; nothing when it can't be sent again: it is too large, or leads off this site. */
export function formOf(req: HttpRequest): Omit<ResubmitForm, 'html'> | undefined {
  const action = safeReturnPath(fullUrlOf(req))
  const fields = [...flatten('', req.body, 0)]
  const size = fields.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0)
  return action === undefined || size > MAX_FORM_BYTES ? undefined : { action, fields }
}

/** Keeps a form for the waiting page. */
export async function storeForm(
  state: StateStore,
  id: string,
  form: Omit<ResubmitForm, 'html'>,
  ttlMs: number,
): Promise<void> {
  await state.put(formKey(id), { action: form.action, fields: form.fields.map(([...field]) => field) }, { ttlMs })
}

/** Forgets it. */
export async function dropForm(state: StateStore, id: string): Promise<void> {
  await state.delete(formKey(id))
}

function formKey(id: string): string {
  return `approval-form:${id.slice(0, 64)}`
}

// The names that a body parser made the nested value from: `a[b]`, `a[]`, or a name that comes twice.
function* flatten(name: string, value: unknown, depth: number): Generator<readonly [string, string]> {
  if (depth > MAX_DEPTH) return
  if (typeof value === 'string') {
    if (name !== '') yield [name, value]
  } else if (Array.isArray(value)) {
    const repeated = value.length === 1 ? `${name}[]` : name
    for (const entry of value) yield* flatten(repeated, entry, depth + 1)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, entry] of Object.entries(value)) {
      yield* flatten(name === '' ? key : `${name}[${key}]`, entry, depth + 1)
    }
  }
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
