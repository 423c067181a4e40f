import { html } from '../html.js'
import { money } from '../money.js'
import { field, notice, page } from './layout.js'

export interface TransferValues {
  readonly amount?: string | undefined
  readonly payee?: string | undefined
  readonly iban?: string | undefined
}

export interface TransferPageOptions {
  readonly name: string
  readonly balanceCents: number
  /** From here on officers of the bank approve. */
  readonly officersFromCents: number
  readonly values?: TransferValues
  readonly error?: string | undefined
  /** The account has no phone that can show what is approved. */
  readonly needsPhone: boolean
}

/** The form of a transfer. What is typed here is what the phone shows. */
export function transferPage(options: TransferPageOptions): string {
  const { values = {} } = options
  return page(
    { title: 'Transfer', name: options.name },
    html`<div class="card">
      <h1>Transfer money</h1>
      <p class="lead">Your balance is <strong>${money(options.balanceCents)}</strong>.</p>
      ${notice('error', options.error)} ${options.needsPhone ? phoneHint : undefined}
      <form method="post" action="/transfer">
        ${field({ name: 'payee', label: 'To', autocomplete: 'off', value: values.payee, maxlength: 60 })}
        ${field({ name: 'iban', label: 'IBAN', autocomplete: 'off', value: values.iban, maxlength: 42 })}
        ${field({
          name: 'amount',
          label: 'Amount in EUR',
          autocomplete: 'off',
          inputmode: 'decimal',
          value: values.amount,
          maxlength: 12,
          hint: hintOf(options.officersFromCents),
        })}
        <button class="button">Continue</button>
      </form>
    </div>`,
  )
}

function hintOf(officersFromCents: number): string {
  return `Your phone shows amount and payee before anything moves. From ${money(officersFromCents)} on, two officers of the bank have to agree.`
}

const phoneHint = html`<p class="notice info">
  A transfer has to be shown on your phone. Activeconnect can't show text: please
  <a href="/enrol">connect Authy or PassBy[ME]</a> for it.
</p>`

export interface TransferDonePageOptions {
  readonly name: string
  readonly amountCents: number
  readonly payee: string
  readonly iban: string
}

export function transferDonePage(options: TransferDonePageOptions): string {
  return page(
    { title: 'Transferred', name: options.name },
    html`<div class="card end">
      <h1>On its way</h1>
      <p class="amount">${money(options.amountCents)}</p>
      <p class="lead">to <strong>${options.payee}</strong>, ${options.iban}.</p>
      <p class="actions">
        <a class="button" href="/account">Back to the account</a>
        <a class="button quiet" href="/transfer">Another one</a>
      </p>
    </div>`,
  )
}
