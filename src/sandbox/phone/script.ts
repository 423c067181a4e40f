/** The browser's module `/phone.js`: keeps the page as the sandbox is, live over SSE, by polling where that fails. */
export const script = String.raw`
import { answeredCard, deviceCard, messageCard, pendingCard, remaining, safeBoxCard, time } from '/view.js'

const by = (id) => document.getElementById(id)
let state = { now: Date.now(), pushes: [], messages: [], devices: [], safeboxes: [] }
let skew = 0
let filter = 'all'
let sought = ''
let known
let polling

const now = () => Date.now() + skew

async function send(path, body, method = 'POST') {
  const answer = await fetch(path, {
    method, headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body),
  })
  if (answer.ok) return
  const problem = await answer.json().catch(() => ({}))
  throw new Error(problem.detail || 'The sandbox answered ' + answer.status)
}

function announce(text) {
  by('announcer').textContent = text
}

async function act(button, push, action) {
  button.closest('.answers').querySelectorAll('button').forEach((each) => { each.disabled = true })
  try {
    await send('/api/pushes/' + encodeURIComponent(push.id) + '/' + action)
    announce(action === 'approve' ? 'Approved: ' + push.message : 'Denied: ' + push.message)
    by('approvals').focus()
  } catch (error) {
    announce(error.message)
    await refresh()
  }
}

async function open(button, link) {
  button.disabled = true
  try {
    await send('/api/devices', { link })
    button.textContent = 'Added'
    announce('The account is on this phone now.')
  } catch (error) {
    button.textContent = error.message
  }
}

async function setPresence(device, presence) {
  await send('/api/devices/' + encodeURIComponent(device.id) + '/presence', { presence }).catch((error) => announce(error.message))
}

// Cards that have not changed keep their element: focus, selection and screen reader stay where they are.
const drawn = new WeakMap()
function fill(list, items, make) {
  const before = drawn.get(list) || new Map()
  const after = new Map()
  const focused = document.activeElement && list.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined
  for (const item of items) {
    const text = JSON.stringify(item)
    const old = before.get(item.id)
    after.set(item.id, old && old.text === text ? old : { text, node: make(item) })
  }
  const nodes = [...after.values()].map((entry) => entry.node)
  if (nodes.length !== list.children.length || nodes.some((node, index) => node !== list.children[index])) list.replaceChildren(...nodes)
  drawn.set(list, after)
  if (focused) list.querySelector('[data-focus="' + CSS.escape(focused) + '"]')?.focus()
}

function tellNews() {
  if (known) {
    const push = state.pushes.find((entry) => entry.status === 'pending' && !known.has('push ' + entry.id))
    const message = state.messages.find((entry) => !known.has('message ' + entry.id))
    if (push) announce('New request for ' + push.recipient + ': ' + push.message)
    else if (message) announce('New message for ' + message.to)
  }
  const before = known
  known = new Set([...state.pushes.map((entry) => 'push ' + entry.id), ...state.messages.map((entry) => 'message ' + entry.id)])
  return (push) => before !== undefined && !before.has('push ' + push.id)
}

function isShown(message) {
  return (filter === 'all' || message.kind === filter) && message.to.toLowerCase().includes(sought)
}

function render() {
  const isNew = tellNews()
  const pending = state.pushes.filter((push) => push.status === 'pending')
  const answered = state.pushes.filter((push) => push.status !== 'pending').slice(0, 50)
  fill(by('pending'), pending, (push) => pendingCard(push, isNew(push), act))
  fill(by('answered'), answered, answeredCard)
  fill(by('messages'), state.messages.filter(isShown), (message) => messageCard(message, open))
  by('messages-empty').textContent = state.messages.length === 0 ? 'No messages yet.' : 'No message fits.'
  fill(by('devices'), state.devices, (device) => deviceCard(device, setPresence))
  fill(by('safeboxes'), state.safeboxes, safeBoxCard)
  by('pending-count').hidden = pending.length === 0
  by('pending-count').textContent = pending.length
  by('history').hidden = answered.length === 0
  by('history-count').textContent = answered.length
  by('safeboxes-panel').hidden = state.safeboxes.length === 0
  document.title = (pending.length > 0 ? '(' + pending.length + ') ' : '') + 'Sandbox phone'
  tick()
}

function take(next) {
  state = next
  skew = next.now - Date.now()
  render()
}

async function refresh() {
  const answer = await fetch('/api/state')
  if (answer.ok) take(await answer.json())
}

// What runs out (a push, a code) looks different afterwards; the sandbox says nothing by itself when time passes.
let asked = 0
function tick() {
  by('clock').textContent = time(now())
  let due = false
  document.querySelectorAll('[data-until]').forEach((bar) => {
    bar.value = Math.max(0, Number(bar.dataset.until) - now())
    if (bar.value === 0) due = true
  })
  document.querySelectorAll('[data-code-until]').forEach((left) => {
    left.textContent = remaining(Number(left.dataset.codeUntil) - now())
    if (Number(left.dataset.codeUntil) <= now()) due = true
  })
  if (due && Date.now() - asked > 900) {
    asked = Date.now()
    refresh().catch(() => undefined)
  }
}

function connection(kind, text) {
  if (by('connection').dataset.state === kind) return
  by('connection').dataset.state = kind
  by('connection').textContent = text
}

function poll() {
  polling ??= setInterval(() => refresh().then(() => connection('live', 'Live'), () => connection('lost', 'The sandbox is not running')), 2000)
}

function listen() {
  if (!('EventSource' in window)) return poll()
  const source = new EventSource('/api/events')
  source.addEventListener('state', (event) => {
    clearInterval(polling)
    polling = undefined
    connection('live', 'Live')
    take(JSON.parse(event.data))
  })
  source.addEventListener('error', () => {
    connection('lost', 'Connection lost, trying again')
    if (source.readyState === EventSource.CLOSED) poll()
  })
}

by('enrol').addEventListener('submit', async (event) => {
  event.preventDefault()
  const input = by('enrol-link')
  const value = input.value.trim()
  by('enrol-error').textContent = ''
  try {
    await send('/api/devices', value.includes(':') ? { link: value } : { phone: value })
    input.value = ''
    announce('The account is on this phone now.')
  } catch (error) {
    by('enrol-error').textContent = error.message
    input.focus()
  }
})

// A page may hand over what its QR code says: /#enrol=TEXT. It is filled in, and the person presses the button.
function fillIn() {
  const text = new URLSearchParams(location.hash.slice(1)).get('enrol')
  if (!text) return
  history.replaceState(null, '', location.pathname)
  by('enrol-link').value = text
  by('enrol').querySelector('button').focus()
  const show = () => by('enrol').scrollIntoView({ block: 'center' })
  show()
  // What is drawn above it only now pushes it away.
  refresh().then(show, show)
  announce('An account is ready to be added.')
}
addEventListener('hashchange', fillIn)

document.querySelector('.filters').addEventListener('click', (event) => {
  const button = event.target.closest('button')
  if (!button) return
  filter = button.dataset.filter
  document.querySelectorAll('.filters button').forEach((each) => each.setAttribute('aria-pressed', String(each === button)))
  render()
})

by('search').addEventListener('input', (event) => {
  sought = event.target.value.trim().toLowerCase()
  render()
})

setInterval(tick, 500)
fillIn()
listen()
`
