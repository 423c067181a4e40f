import type { IncomingMessage } from 'node:http'
import { addressOf } from './raw-body.js'

/** Something that could have been signed instead, and how it differs from what we checked. */
export interface Variant {
  readonly text: string
  readonly words: readonly string[]
}

type Part = readonly [text: string, words?: string]

const PARTS = /^([^:]+):\/\/(\[[^\]]*\]|[^:/?#]*)(?::([0-9]+))?([^?#]*)(?:\?([^#]*))?/
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?$/

/**
 * URLs that the sender may have signed in place of the configured one, those with the fewest differences first, without
 * the configured one itself. What the request says of itself is used here, and only here: to explain, not to decide.
 */
export function urlVariants(configuredUrl: string, req: IncomingMessage): readonly Variant[] {
  const [, scheme = '', host = '', port = '', path = '', query = ''] = PARTS.exec(configuredUrl) ?? []
  const address = addressOf(req)
  const claimed = [req.headers.host, req.headers['x-forwarded-host']].flatMap((header) => {
    const match = typeof header === 'string' ? HOST.exec(header) : null
    return match ? [{ host: match[1]?.toLowerCase() ?? '', port: match[2] ?? '' }] : []
  })
  const combined = schemes(scheme.toLowerCase()).flatMap(([s, sWords]) =>
    hosts(host, claimed).flatMap(([h, hWords]) =>
      ports(port, claimed).flatMap(([p, pWords]) =>
        paths(path, address).flatMap(([a, aWords]) =>
          queries(query, address).map(([q, qWords]) => ({
            text: `${s}://${h}${p === '' ? '' : `:${p}`}${a}${q === '' ? '' : `?${q}`}`,
            words: [sWords, hWords, pWords, aWords, qWords].filter((words) => words !== undefined),
          })),
        ),
      ),
    ),
  )
  return distinct(combined.sort((a, b) => a.words.length - b.words.length)).slice(1)
}

interface ClaimedHost {
  readonly host: string
  readonly port: string
}

function schemes(scheme: string): readonly Part[] {
  const other = scheme === 'https' ? 'http' : 'https'
  return [[scheme], [other, `the scheme ${other} instead of ${scheme}`]]
}

function hosts(host: string, claimed: readonly ClaimedHost[]): readonly Part[] {
  const lower = host.toLowerCase()
  const others = claimed.map((claim): Part => [claim.host, `the host ${claim.host} instead of ${lower}`])
  return [[lower], [host, 'the host in the capitals of the configured URL'], ...others]
}

function ports(port: string, claimed: readonly ClaimedHost[]): readonly Part[] {
  const others = ['', '443', '80', ...claimed.map((claim) => claim.port)].filter((other) => other !== port)
  return [
    [port],
    ...others.map((other): Part => [
      other,
      other === '' ? `no port instead of :${port}` : `the port :${other} written out`,
    ]),
  ]
}

function paths(path: string, address: string): readonly Part[] {
  const requested = address.split(/[?#]/, 1)[0] ?? ''
  const other: Part = path.endsWith('/')
    ? [path.slice(0, -1), 'no slash at the end of the path']
    : [`${path}/`, 'a slash at the end of the path']
  return [[path], other, [requested, 'the path as it is requested here']]
}

function queries(configured: string, address: string): readonly Part[] {
  const requested = /\?([^#]*)/.exec(address)?.[1] ?? ''
  return [[''], [configured, 'the query of the configured URL kept'], [requested, 'the query of the request kept']]
}

function distinct(variants: readonly Variant[]): readonly Variant[] {
  const byText = new Map<string, Variant>()
  for (const variant of variants) if (!byText.has(variant.text)) byText.set(variant.text, variant)
  return [...byText.values()]
}
