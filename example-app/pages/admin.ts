import type { PublicUser } from 'passport-outofband/users'
import type { AuditLine } from '../audit.js'
import { html, type Html } from '../html.js'
import { field, notice, page } from './layout.js'

export interface PeoplePageOptions {
  /** Whose name stands in the header. */
  readonly viewer: string
  readonly people: readonly PublicUser[]
  readonly search: string
  /** The id after which the next page begins; nothing on the last page. */
  readonly next: number | undefined
  readonly isFirst: boolean
}

/** Everybody, in the order in which they came. */
export function peoplePage(options: PeoplePageOptions): string {
  const { people, search, next } = options
  const query = search === '' ? '' : `q=${encodeURIComponent(search)}&`
  return page(
    { title: 'People', name: options.viewer, isAdmin: true, wide: true },
    html`<h1>People</h1>
      <form method="get" action="/admin" class="search" role="search">
        <label for="q" class="visually-hidden">Search by address, name or number</label>
        <input id="q" name="q" type="search" value="${search}" maxlength="100" placeholder="Address, name or number" />
        <button class="button quiet">Search</button>
      </form>
      ${
        people.length === 0
          ? html`<p class="card" role="status">Nobody is found.</p>`
          : html`<div class="card table">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Person</th>
                    <th scope="col">Roles</th>
                    <th scope="col">State</th>
                    <th scope="col">Last sign-in</th>
                  </tr>
                </thead>
                <tbody>
                  ${people.map(personRow)}
                </tbody>
              </table>
            </div>`
      }
      <p class="actions">
        ${options.isFirst ? undefined : html`<a class="button quiet small" href="/admin?${query}">First page</a>`}
        ${next === undefined ? undefined : html`<a class="button quiet small" href="/admin?${query}after=${next}">Next page</a>`}
      </p>`,
  )
}

function personRow(user: PublicUser): Html {
  return html`<tr>
    <td>
      <a href="/admin/people/${user.id}">${user.email}</a>
      <span class="hint">${nameOf(user)}</span>
    </td>
    <td data-label="Roles">${user.roles.length === 0 ? '–' : user.roles.join(', ')}</td>
    <td data-label="State">${state(user)}</td>
    <td data-label="Last sign-in">${time(new Date(user.lastLoginAt))}</td>
  </tr>`
}

export interface PersonPageOptions {
  /** Whose name stands in the header. */
  readonly viewer: string
  readonly isSelf: boolean
  readonly user: PublicUser
  readonly audit: readonly AuditLine[]
  readonly error?: string | undefined
  readonly info?: string | undefined
}

/** One person: what they may do, whether they may come in, and what happened. */
export function personPage(options: PersonPageOptions): string {
  const { user, isSelf } = options
  const base = `/admin/people/${user.id}`
  return page(
    { title: user.email, name: options.viewer, isAdmin: true, wide: true },
    html`<p><a href="/admin">People</a></p>
      <h1 class="long">${user.email}</h1>
      <p class="lead">${nameOf(user)} ${state(user)}</p>
      ${notice('error', options.error)}${notice('info', options.info)}
      <div class="columns">
        <section class="card">
          <h2>Roles</h2>
          <form method="post" action="${base}/roles">
            ${field({
              name: 'roles',
              label: 'Roles',
              autocomplete: 'off',
              value: user.roles.join(' '),
              maxlength: 500,
              isOptional: true,
              hint: 'Separated by spaces. "admin" sees these pages; other names are for your own applications.',
            })}
            <button class="button quiet">Save the roles</button>
          </form>
        </section>
        <section class="card">
          <h2>Coming in</h2>
          ${isSelf ? html`<p>Another administrator can close your account.</p>` : activeForm(base, user)}
        </section>
      </div>
      <section class="card below">
        <h2>What happened</h2>
        <ul class="sent">
          ${options.audit.map(auditItem)}
        </ul>
      </section>`,
  )
}

function activeForm(base: string, { isActive }: PublicUser): Html {
  return html`<form method="post" action="${base}/active">
    <input type="hidden" name="active" value="${isActive ? 'no' : 'yes'}" />
    <p>
      ${isActive ? 'Closing the account ends every session and every token of this person at once.' : 'The account is closed. What is in it is still there.'}
    </p>
    <button class="button ${isActive ? 'danger' : 'quiet'}">
      ${isActive ? 'Close the account' : 'Open the account again'}
    </button>
  </form>`
}

const words: Readonly<Record<string, string>> = {
  registered: 'Signed up',
  login: 'Password was right',
  'roles.changed': 'Roles changed',
  'user.deactivated': 'Account closed',
  'user.reactivated': 'Account opened again',
  'password.changed': 'Password changed',
  'password.reset': 'Password set by mail',
  'email.changed': 'Address changed',
  'phone.changed': 'Number changed',
  'sessions.ended': 'Signed out everywhere',
}

function auditItem({ at, type, actorId, client, reason }: AuditLine): Html {
  const details = [
    type === 'roles.changed' ? `now: ${reason === '' || reason === null ? 'none' : reason}` : undefined,
    client === null ? undefined : `from ${client}`,
  ].filter((detail) => detail !== undefined)
  return html`<li>
    <strong>${words[type] ?? type}</strong>
    ${actorId === null ? undefined : html`<span>by <a href="/admin/people/${actorId}">person ${actorId}</a></span>`}
    ${details.length === 0 ? undefined : html`<span>${details.join(', ')}</span>`} ${time(at)}
  </li>`
}

function state({ isActive }: PublicUser): Html {
  return isActive ? html`<span class="badge">Active</span>` : html`<span class="badge closed">Closed</span>`
}

function nameOf({ firstName, lastName }: PublicUser): string {
  return [firstName, lastName].filter((part) => part !== null).join(' ')
}

function time(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 16).replace('T', ' ')} UTC</time>`
}
