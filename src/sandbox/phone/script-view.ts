/** The browser's module `/view.js`: builds the elements of the page. Texts only ever become text nodes. */
export const viewScript = String.raw`
export function element(name, attributes, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === 'onclick') made.addEventListener('click', value)
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? '' : value)
  }
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== false))
  return made
}

const clockTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
export const time = (ms) => clockTime.format(new Date(ms))

export function grouped(code) {
  const middle = code.length <= 4 ? code.length : Math.ceil(code.length / 2) - (code.length % 2)
  return code.slice(0, middle) + ' ' + code.slice(middle)
}

export function remaining(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  if (seconds < 100) return seconds + ' s'
  const minutes = Math.round(seconds / 60)
  return minutes < 100 ? minutes + ' min' : Math.round(minutes / 60) + ' h'
}

const actionNames = { approve: 'Approve', deny: 'Deny', report: 'Report as suspicious' }

function actionButton(push, action, act) {
  const label = actionNames[action] || action.charAt(0).toUpperCase() + action.slice(1)
  const kind = action === 'approve' || action === 'deny' ? action : 'other'
  return element('button', {
    type: 'button', class: kind, 'data-focus': push.id + ' ' + action, 'data-action': action,
    'aria-describedby': 'push-' + push.id, onclick: (event) => act(event.currentTarget, push, action),
  }, label)
}

export function pendingCard(push, isNew, act) {
  return element('li', { class: 'card push' + (isNew ? ' is-new' : ''), 'data-push': push.id },
    element('p', { class: 'meta' },
      element('span', { class: 'app' }, push.title || push.provider),
      element('span', {}, 'for ' + push.recipient),
      element('span', { class: 'end' }, time(push.createdAt))),
    element('p', { class: 'text', id: 'push-' + push.id }, push.message),
    push.compareCode && element('p', { class: 'compare' }, 'Compare with the other screen', element('strong', {}, push.compareCode)),
    push.details.length > 0 && element('dl', { class: 'facts' },
      ...push.details.flatMap(({ label, value }) => [element('dt', {}, label), element('dd', {}, value)])),
    element('div', { class: 'answers' }, ...push.actions.map((action) => actionButton(push, action, act))),
    push.expiresAt !== null && element('progress', {
      class: 'life', max: push.expiresAt - push.createdAt, 'data-until': push.expiresAt, 'aria-label': 'Time left to answer',
    }))
}

export function answeredCard(push) {
  return element('li', { class: 'card', 'data-push': push.id },
    element('p', { class: 'meta' },
      element('span', { class: 'badge ' + push.status }, push.status),
      element('span', {}, push.recipient),
      element('span', { class: 'end' }, time(push.createdAt))),
    element('p', {}, push.message))
}

const kinds = { sms: 'Text', voice: 'Call', mail: 'Mail' }

function copyButton(code, focus) {
  return element('button', { type: 'button', class: 'small', 'data-focus': focus, onclick: (event) => {
    const button = event.currentTarget
    navigator.clipboard.writeText(code).then(() => {
      button.textContent = 'Copied'
      setTimeout(() => { button.textContent = 'Copy' }, 1500)
    }, () => { button.textContent = 'Select it by hand' })
  } }, 'Copy')
}

// Only what the sandbox has found to be an http or https address becomes a link; everything else stays text.
function linked(message) {
  const parts = []
  let rest = message.text
  for (const link of message.links) {
    const at = rest.indexOf(link)
    parts.push(rest.slice(0, at), element('a', {
      href: link, target: '_blank', rel: 'noopener noreferrer', 'data-focus': 'link ' + message.id + ' ' + parts.length,
    }, link))
    rest = rest.slice(at + link.length)
  }
  return [...parts, rest]
}

export function messageCard(message, open) {
  return element('li', { class: 'card message', 'data-message': message.id },
    element('p', { class: 'meta' },
      element('span', { class: 'badge' }, kinds[message.kind]),
      message.from && element('span', {}, 'from ' + message.from),
      element('span', {}, 'to ' + message.to),
      message.via && element('span', {}, 'via ' + message.via),
      element('span', { class: 'end' }, time(message.receivedAt))),
    message.subject && element('p', { class: 'subject' }, message.subject),
    element('p', { class: 'text' }, ...linked(message)),
    (message.code || message.link) && element('div', { class: 'code-row' },
      message.code && element('span', { class: 'code' }, message.code),
      message.code && copyButton(message.code, 'copy ' + message.id),
      message.link && element('button', {
        type: 'button', class: 'small', 'data-focus': 'open ' + message.id, onclick: (event) => open(event.currentTarget, message.link),
      }, 'Open on this phone')))
}

export function deviceCard(device, setPresence) {
  const label = 'presence-' + device.id
  return element('li', { class: 'card device', 'data-device': device.id },
    element('p', { class: 'name' }, device.owner),
    device.code && element('div', { class: 'otp' },
      element('span', { class: 'code' }, grouped(device.code)),
      element('span', { class: 'left', 'data-code-until': device.expiresAt }),
      copyButton(device.code, 'copy ' + device.id)),
    element('p', { class: 'meta' }, element('span', {}, device.name), element('span', {}, device.provider)),
    device.presence && element('div', { class: 'presence' },
      element('button', {
        type: 'button', class: 'switch', role: 'switch', 'aria-checked': String(device.presence === 'near'),
        'aria-labelledby': label, 'data-focus': 'presence ' + device.id,
        onclick: () => setPresence(device, device.presence === 'near' ? 'away' : 'near'),
      }),
      element('span', { id: label }, device.presence === 'near' ? 'Near the computer' : 'Away from the computer')))
}

export function safeBoxCard(box) {
  return element('li', { class: 'card' },
    element('p', { class: 'meta' },
      element('span', { class: 'badge' }, box.status),
      element('span', {}, 'to ' + box.recipients.join(', ')),
      element('span', { class: 'end' }, time(box.createdAt))),
    element('p', {}, box.subject),
    ...box.attachments.map(({ name, size }) => element('p', { class: 'meta' }, name + ' (' + size.toLocaleString() + ' bytes)')),
    ...box.openings.map(({ recipient, link }) => element('p', {},
      element('a', { href: link, target: '_blank', rel: 'noopener noreferrer' }, 'Open as ' + recipient))))
}
`
