// Sends the form by itself, so that there is a progress bar and a way to stop.
const form = document.getElementById('send')
const submit = document.getElementById('submit')
const sending = document.getElementById('sending')
const bar = document.getElementById('bar')
const amount = document.getElementById('amount')
const cancel = document.getElementById('cancel')
const outcome = document.getElementById('outcome')
const words = {
  413: 'This file is too large.',
  415: 'Files of this type cannot be sent.',
  422: 'The service has refused this file: it looks infected.',
}
let request

const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`

function show({ loaded, total }) {
  bar.value = total === 0 ? 100 : (100 * loaded) / total
  amount.textContent = `${Math.floor(bar.value)} % · ${megabytes(loaded)} of ${megabytes(total)}`
}

function end(kind, text) {
  request = undefined
  sending.hidden = true
  submit.disabled = false
  outcome.className = `notice ${kind}`
  outcome.textContent = text
  outcome.hidden = false
}

function refused(status, body) {
  // The answer of the phone has become too old.
  if (status === 401) return location.assign('/step-up?return_to=%2Fdocuments')
  let detail
  try {
    detail = JSON.parse(body).detail
  } catch {
    // An answer from somewhere on the way.
  }
  end('error', words[status] ?? detail ?? 'That did not work. Nothing was sent; please try again.')
}

async function allowed(file) {
  const query = new URLSearchParams({ name: file.name, size: file.size })
  const answer = await fetch(`/documents/check?${query}`, { headers: { accept: 'application/json' } })
  if (!answer.ok) refused(answer.status, await answer.text())
  return answer.ok
}

function send(file) {
  const { email, mobile, subject } = form.elements
  const body = new FormData()
  for (const input of [email, mobile, subject]) body.set(input.name, input.value)
  body.set('size', String(file.size))
  // Last: the server passes the file on while it comes.
  body.set('file', file)
  request = new XMLHttpRequest()
  request.upload.addEventListener('progress', show)
  request.upload.addEventListener('load', () => {
    cancel.disabled = true
    amount.textContent = 'All of it is there. One moment…'
  })
  request.addEventListener('load', () => {
    const { status, responseText } = request
    if (status === 201) location.assign(request.getResponseHeader('location'))
    else refused(status, responseText)
  })
  request.addEventListener('error', () => end('error', 'The connection broke off. Nothing was sent; please try again.'))
  request.addEventListener('abort', () => end('info', 'Cancelled. Nothing was sent.'))
  request.open('POST', form.action)
  request.setRequestHeader('accept', 'application/json')
  request.send(body)
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const [file] = form.elements.file.files
  if (!file || submit.disabled) return
  submit.disabled = true
  outcome.hidden = true
  document.getElementById('sending-name').textContent = `Sending ${file.name}`
  show({ loaded: 0, total: file.size })
  cancel.disabled = false
  try {
    if (!(await allowed(file))) return
    sending.hidden = false
    send(file)
  } catch {
    end('error', 'The bank cannot be reached. Nothing was sent; please try again.')
  }
})
cancel.addEventListener('click', () => request?.abort())
// Leaving the page ends the upload: ask first.
addEventListener('beforeunload', (event) => {
  if (request && !cancel.disabled) event.preventDefault()
})
