/** The page. Everything that changes is filled in by the script; without it the page says what is missing. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sandbox phone</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/phone.css">
<script type="module" src="/phone.js"></script>
</head>
<body>
<a class="skip" href="#approvals">Skip to the approvals</a>
<header class="bar">
  <img src="/icon.svg" alt="" width="32" height="32">
  <h1>Sandbox phone</h1>
  <p class="status" id="connection" role="status" data-state="connecting">Connecting</p>
  <p class="clock"><span class="hidden">Clock of the sandbox: </span><time id="clock"></time></p>
</header>
<div class="hidden" id="announcer" role="alert"></div>
<noscript><p class="notice">This page needs JavaScript. Everything on it can also be done over the JSON API under /api.</p></noscript>
<main>
  <section class="handset" aria-labelledby="approvals">
    <div class="section-head">
      <h2 id="approvals" tabindex="-1">Approvals</h2>
      <span class="count" id="pending-count" hidden></span>
    </div>
    <ul class="list" id="pending"></ul>
    <p class="empty" id="pending-empty">Nothing to approve. Requests appear here by themselves.</p>
    <details class="history" id="history" hidden>
      <summary>Answered and expired (<span id="history-count">0</span>)</summary>
      <ul class="list" id="answered"></ul>
    </details>
  </section>
  <div class="side">
    <section class="panel" aria-labelledby="messages-title">
      <div class="section-head">
        <h2 id="messages-title">Messages</h2>
        <div class="filters" role="group" aria-label="Show">
          <button type="button" data-filter="all" aria-pressed="true">All</button>
          <button type="button" data-filter="sms" aria-pressed="false">Texts</button>
          <button type="button" data-filter="voice" aria-pressed="false">Calls</button>
          <button type="button" data-filter="mail" aria-pressed="false">Mail</button>
        </div>
      </div>
      <label class="hidden" for="search">Find messages by number or address</label>
      <input class="search" id="search" type="search" autocomplete="off" autocapitalize="off" spellcheck="false"
        placeholder="Find by number or address">
      <div class="scroll" tabindex="0" role="region" aria-labelledby="messages-title">
        <ul class="list" id="messages"></ul>
        <p class="empty" id="messages-empty">No messages yet.</p>
      </div>
    </section>
    <section class="panel" aria-labelledby="devices-title">
      <div class="section-head"><h2 id="devices-title">Accounts on this phone</h2></div>
      <ul class="list" id="devices"></ul>
      <p class="empty" id="devices-empty">No account yet. Add one to get pushes and codes.</p>
      <form id="enrol" class="enrol">
        <label for="enrol-link">Link, text of a QR code, or phone number</label>
        <div class="row">
          <input id="enrol-link" name="link" autocomplete="off" autocapitalize="off" spellcheck="false"
            required placeholder="authy://account?token=… or +1 201 555 0100" aria-describedby="enrol-error">
          <button class="primary" type="submit">Add</button>
        </div>
        <p class="error" id="enrol-error" role="alert"></p>
      </form>
    </section>
    <section class="panel" id="safeboxes-panel" aria-labelledby="safeboxes-title" hidden>
      <div class="section-head"><h2 id="safeboxes-title">SafeBoxes</h2></div>
      <ul class="list" id="safeboxes"></ul>
    </section>
  </div>
</main>
<footer><p>A stand-in for real providers, on this computer only. Nothing here leaves it.</p></footer>
</body>
</html>
`

export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="8" fill="#3d4fd6"/>
<rect x="10" y="5" width="12" height="22" rx="3" fill="#fff"/>
<path d="m12.6 15.8 2.5 2.6 4.6-5" fill="none" stroke="#3d4fd6" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`
