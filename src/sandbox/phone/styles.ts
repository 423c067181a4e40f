export const styles = `
:root {
  --ground: #eef0f6; --card: #ffffff; --line: #dfe2ec; --ink: #191c2b; --soft: #5a6078;
  --brand: #3d4fd6; --brand-ink: #ffffff; --good: #17795a; --bad: #b3261e; --warn: #8a5a00;
  --tint: #edeffd; --good-tint: #e2f4ec; --bad-tint: #fbe9e7; --shadow: 0 1px 2px #1a1f3a14, 0 6px 24px #1a1f3a12;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10121b; --card: #1a1d2a; --line: #2e3346; --ink: #eceef8; --soft: #a2a8c0;
    --brand: #93a0ff; --brand-ink: #10121b; --good: #6cd3ab; --bad: #ffb0a8; --warn: #f3c777;
    --tint: #262b45; --good-tint: #173a2e; --bad-tint: #46211e; --shadow: none;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1, h2, h3, p, ul, dl, dd { margin: 0; padding: 0; }
h1 { font-size: 1.05rem; letter-spacing: -.01em; }
h2 { font-size: 1.05rem; letter-spacing: -.01em; outline: none; }
ul { list-style: none; }
button, input { font: inherit; color: inherit; }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 1rem; top: 1rem; z-index: 9; background: var(--card); padding: .5rem 1rem; border-radius: .5rem; }
.bar { position: sticky; top: 0; z-index: 5; display: flex; align-items: center; gap: .75rem; padding: .7rem max(1rem, calc(50vw - 560px)); background: var(--card); border-bottom: 1px solid var(--line); }
.bar img { display: block; }
.status { display: flex; align-items: center; gap: .45rem; margin-left: auto; font-size: .85rem; color: var(--soft); }
.status::before { content: ""; width: .55rem; height: .55rem; border-radius: 50%; background: var(--warn); }
.status[data-state="live"]::before { background: var(--good); }
.status[data-state="lost"]::before { background: var(--bad); }
.clock { font-size: .85rem; color: var(--soft); font-variant-numeric: tabular-nums; }
main { display: grid; grid-template-columns: minmax(0, 25rem) minmax(0, 1fr); gap: 1.5rem; max-width: 1152px; margin: 0 auto; padding: 1.5rem 1rem; align-items: start; }
.side { display: grid; gap: 1.5rem; }
.handset, .panel { background: var(--card); border: 1px solid var(--line); border-radius: 1.1rem; box-shadow: var(--shadow); padding: 1.15rem; }
.handset { border-radius: 2rem; border-width: 6px; border-color: var(--ink); padding: 1.4rem 1.1rem; min-height: 30rem; }
@media (prefers-color-scheme: dark) { .handset { border-color: #3a4058; } }
.section-head { display: flex; align-items: center; gap: .6rem; flex-wrap: wrap; margin-bottom: .9rem; }
.count { min-width: 1.5rem; padding: 0 .45rem; border-radius: 1rem; background: var(--brand); color: var(--brand-ink); font-size: .8rem; font-weight: 700; text-align: center; line-height: 1.5rem; }
.list { display: grid; gap: .75rem; }
.list:empty { display: none; }
.empty { color: var(--soft); padding: 1.6rem .5rem; text-align: center; border: 1px dashed var(--line); border-radius: .9rem; font-size: .92rem; }
.list:not(:empty) + .empty { display: none; }
.card { border: 1px solid var(--line); border-radius: .9rem; padding: .9rem; background: var(--card); overflow-wrap: anywhere; }
.push { border-color: var(--brand); box-shadow: 0 0 0 3px var(--tint); }
.push.is-new { animation: arrive .35s ease-out; }
@keyframes arrive { from { transform: translateY(-.6rem); opacity: 0; } }
@media (prefers-reduced-motion: reduce) { .push.is-new { animation: none; } }
.meta { display: flex; flex-wrap: wrap; gap: .15rem .5rem; font-size: .82rem; color: var(--soft); }
.meta .app { color: var(--ink); font-weight: 650; }
.meta .end { margin-left: auto; }
.push .text { margin: .35rem 0 .6rem; font-size: 1.12rem; font-weight: 600; line-height: 1.35; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .9rem; margin: 0 0 .7rem; padding: .6rem .75rem; border-radius: .6rem; background: var(--ground); font-size: .9rem; }
.facts dt { color: var(--soft); }
.compare { margin: 0 0 .7rem; text-align: center; border-radius: .6rem; background: var(--tint); padding: .5rem; font-size: .85rem; color: var(--soft); }
.compare strong { display: block; font: 700 1.6rem/1.3 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .12em; color: var(--ink); }
.answers { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; }
button { cursor: pointer; min-height: 2.75rem; padding: .45rem 1rem; border-radius: .7rem; border: 1px solid var(--line); background: transparent; font-weight: 600; }
button:disabled { opacity: .55; cursor: default; }
button.approve { background: var(--good); border-color: var(--good); color: var(--card); }
button.deny { border-color: var(--bad); color: var(--bad); }
button.primary { background: var(--brand); border-color: var(--brand); color: var(--brand-ink); }
button.other { grid-column: 1 / -1; min-height: 2.2rem; border-color: transparent; color: var(--soft); font-weight: 500; font-size: .88rem; text-decoration: underline; text-underline-offset: .2em; }
button.small { min-height: 2rem; padding: .15rem .75rem; font-size: .85rem; border-radius: .5rem; }
.life { display: block; width: 100%; height: .3rem; margin-top: .8rem; border: 0; border-radius: 1rem; overflow: hidden; background: var(--line); appearance: none; }
.life::-webkit-progress-bar { background: var(--line); }
.life::-webkit-progress-value { background: var(--brand); }
.life::-moz-progress-bar { background: var(--brand); }
.history { margin-top: 1.1rem; font-size: .92rem; }
.history summary { cursor: pointer; color: var(--soft); padding: .4rem 0; }
.history .list { margin-top: .5rem; gap: .5rem; }
.badge { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; background: var(--ground); color: var(--soft); font-size: .78rem; font-weight: 650; text-transform: capitalize; }
.badge.approved { background: var(--good-tint); color: var(--good); }
.badge.denied, .badge.failed { background: var(--bad-tint); color: var(--bad); }
.filters { display: flex; gap: .3rem; margin-left: auto; }
.filters button { min-height: 2rem; padding: .1rem .7rem; font-size: .85rem; border-radius: 1rem; font-weight: 500; }
.filters button[aria-pressed="true"] { background: var(--tint); border-color: var(--brand); font-weight: 650; }
.search { width: 100%; min-height: 2.4rem; margin-bottom: .75rem; padding: .2rem .8rem; border: 1px solid var(--soft); border-radius: .7rem; background: var(--ground); }
.search::placeholder { color: var(--soft); opacity: .85; }
.scroll { max-height: 24.5rem; overflow-y: auto; margin: -.3rem; padding: .3rem; }
.message .text { margin-top: .25rem; white-space: pre-line; }
.message .text a { color: var(--brand); }
.message .subject { font-weight: 650; margin-top: .25rem; }
.code-row { display: flex; align-items: center; flex-wrap: wrap; gap: .6rem; margin-top: .55rem; }
.code { font: 650 1.25rem/1.4 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .08em; }
.device { display: grid; grid-template-columns: 1fr auto; gap: .2rem 1rem; align-items: center; }
.device > .name, .device > .meta { grid-column: 1; }
.device .name { font-weight: 650; }
.device .otp { display: flex; align-items: center; gap: .7rem; grid-row: span 2; }
.device .code { font-size: 1.5rem; color: var(--brand); }
.device .left { min-width: 2.4rem; text-align: right; color: var(--soft); font-size: .85rem; font-variant-numeric: tabular-nums; }
.presence { display: flex; align-items: center; gap: .5rem; grid-column: 1 / -1; margin-top: .5rem; font-size: .9rem; }
.switch { position: relative; width: 3rem; min-height: 1.7rem; padding: 0; border-radius: 1rem; background: var(--line); }
.switch::after { content: ""; position: absolute; top: .16rem; left: .2rem; width: 1.25rem; height: 1.25rem; border-radius: 50%; background: var(--card); transition: left .15s; }
.switch[aria-checked="true"] { background: var(--good); }
.switch[aria-checked="true"]::after { left: 1.45rem; }
.enrol { margin-top: 1rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.enrol label { display: block; font-size: .9rem; font-weight: 600; margin-bottom: .35rem; }
.row { display: flex; gap: .6rem; }
.row input { flex: 1; min-width: 0; min-height: 2.75rem; padding: .3rem .8rem; border: 1px solid var(--soft); border-radius: .7rem; background: var(--ground); }
.row input::placeholder { color: var(--soft); opacity: .85; }
.error { color: var(--bad); font-size: .9rem; }
.error:not(:empty) { margin-top: .5rem; }
.notice { margin: 1rem; padding: 1rem; background: var(--bad-tint); border-radius: .7rem; }
footer { max-width: 1152px; margin: 0 auto; padding: 0 1rem 2rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 52rem) {
  main { grid-template-columns: minmax(0, 1fr); padding: 1rem .75rem; gap: 1rem; }
  .handset { min-height: 0; border-width: 1px; border-color: var(--line); border-radius: 1.1rem; padding: 1.1rem; }
  .side { gap: 1rem; }
  .clock { display: none; }
  .device { grid-template-columns: minmax(0, 1fr); }
  .device .otp { grid-row: auto; margin-top: .4rem; }
  .scroll { max-height: 22rem; }
}
`
