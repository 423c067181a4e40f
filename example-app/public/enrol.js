// Notices when the phone has scanned the code, and moves on.
const enrol = document.getElementById('enrol')
const state = document.getElementById('state')
const timer = setInterval(async () => {
  try {
    const answer = await fetch(enrol.dataset.statusUrl, { headers: { accept: 'application/json' } })
    const { status } = await answer.json()
    if (status !== 'completed') return
    clearInterval(timer)
    state.textContent = 'Your phone is connected.'
    document.getElementById('finish').requestSubmit()
  } catch {
    // Tried again with the next tick.
  }
}, 3000)
