/**
 * `npm run bench` runs every figure, `npm run bench -- NAME ...` some of them; `--json` prints one object a line.
 * Figures are quotients within one run, never times: a slower machine gives the same ones.
 */
import { type Figure, type Measured } from './harness.js'
import { enumeration } from './enumeration.js'
import { routeOverhead } from './onetouch-route-overhead.js'
import { verifyVersusAuthyClient } from './onetouch-verify-vs-authy-client.js'
import { verifyVersusLimit } from './onetouch-verify-vs-limit.js'
import { middlewareMemory, middlewareThroughput, parserCost } from './sendsecure-middleware.js'
import { uploadMemory, uploadTime } from './sendsecure-upload.js'
import { tokenCheckUnderLogins } from './token-check-under-logins.js'
import { tokenCheck, tokenCheckKeyObject, tokenCheckRsa } from './token-check-vs-passport-jwt.js'

const figures: readonly Figure[] = [
  verifyVersusLimit,
  verifyVersusAuthyClient,
  routeOverhead,
  uploadMemory,
  uploadTime,
  middlewareMemory,
  middlewareThroughput,
  parserCost,
  tokenCheck,
  tokenCheckKeyObject,
  tokenCheckRsa,
  tokenCheckUnderLogins,
  ...enumeration,
]

const words = process.argv.slice(2)
const asJson = words.includes('--json')
const names = words.filter((word) => !word.startsWith('--'))
const unknown = names.filter((name) => !figures.some((figure) => figure.name === name))
if (unknown.length > 0) {
  console.error(`there is no figure ${unknown.join(', ')}; there are: ${figures.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

for (const figure of figures.filter(({ name }) => names.length === 0 || names.includes(name))) {
  print(figure, await figure.measure())
}

function print({ name, what, unit, atLeast, atMost }: Figure, { value, spread }: Measured): void {
  // Without an aim a figure is only reported.
  const met = value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity)
  const [low, high] = spread.map(rounded)
  if (asJson) {
    console.log(JSON.stringify({ name, value: rounded(value), unit, aim: atLeast ?? atMost, met, spread: [low, high] }))
    return
  }
  const aims = [atLeast === undefined ? '' : `at least ${atLeast}`, atMost === undefined ? '' : `at most ${atMost}`]
  const aim = aims.join('')
  const verdict = aim === '' ? 'no aim' : `aim ${aim}: ${met ? 'met' : 'NOT MET'}`
  console.log(`${name}: ${rounded(value)} ${unit} (quartiles ${String(low)} to ${String(high)}; ${verdict})\n  ${what}`)
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
