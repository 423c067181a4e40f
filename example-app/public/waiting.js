// Waits for the phone's answer and moves on by itself. Server-sent events where they work, a long poll where they don't.
const card = document.getElementById('waiting')
const state = document.getElementById('state')
const time = document.getElementById('time')
const finish = document.getElementById('finish')
const open = new Set(['starting', 'pending'])
const words = {
  approved: 'Approved. One moment…',
  denied: 'Denied on your phone.',
  expired: 'The time is up.',
  cancelled: 'Withdrawn.',
  failed: 'That did not work.',
  redeemed: 'Used already.',
}
let done = false

function show(status) {
  if (done || open.has(status)) return
  done = true
  state.textContent = words[status] ?? 'One moment…'
  // The server decides what the answer means; the page only tells it that there is one.
  finish.requestSubmit()
}

function listen() {
  const source = new EventSource(card.dataset.statusUrl)
  source.addEventListener('status', (event) => {
    const { status } = JSON.parse(event.data)
    if (!open.has(status)) source.close()
    show(status)
  })
  source.addEventListener('error', () => {
    if (source.readyState !== EventSource.CLOSED) return
    if (!done) setTimeout(poll, 1000)
  })
  addEventListener('pagehide', () => source.close())
}

async function poll() {
  while (!done) {
    try {
      const answer = await fetch(card.dataset.statusUrl, { headers: { accept: 'application/json' } })
      if (answer.status === 404) return show('expired')
      const { status } = await answer.json()
      show(status)
    } catch {
      // The server is restarting, or the network is gone: what was asked is still stored.
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

const begun = Date.now()
const ends = Date.parse(card.dataset.expiresAt)
setInterval(() => {
  time.value = Math.max(0, (100 * (ends - Date.now())) / Math.max(1, ends - begun))
  if (Date.now() > ends + 2000) show('expired')
}, 1000)

// Coming back with the back button shows the page as it was: ask again instead.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
listen()
