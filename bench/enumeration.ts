import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { argon2Hasher } from 'passport-outofband/users'
import { type Figure, type Measured, summary } from './harness.js'
import { benchService } from './users-service.js'

interface Question {
  readonly path: string
  readonly samples: number
  /** The body for a known and for an unknown account. */
  readonly body: (isKnown: boolean, index: number) => object
  readonly status: number
}

const USERS = 200

/**
 * How well an attacker can tell known from unknown accounts by time: the share of pairs (one of each) in which the
 * known one took longer, as distance from a half. 0 is noise, 0.5 is certainty.
 */
async function measure({ path, samples, body, status }: Question): Promise<Measured> {
  const hash = await argon2Hasher().hash('a rather long passphrase')
  const { service, addUser } = benchService({
    senders: {
      mail: { send: () => Promise.resolve() },
      sms: { name: 'bench', send: () => Promise.resolve({ status: 'sent' }) },
    },
    reset: { origins: ['https://app.example.com'] },
    verification: { resendSeconds: 0 },
  })
  for (let index = 0; index < USERS; index += 1) await addUser(`known-${index}`, hash)
  const server = createServer((req, res) => service(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const distances: number[] = []
  for (let run = 0; run < 5; run += 1) {
    const times = { known: [] as number[], unknown: [] as number[] }
    for (let index = 0; index < samples; index += 1) {
      // In changing order, so that what one leaves behind meets both.
      for (const isKnown of index % 2 === 0 ? [true, false] : [false, true]) {
        const took = await timed(url, agent, JSON.stringify(body(isKnown, index)), status)
        times[isKnown ? 'known' : 'unknown'].push(took)
        await service.idle()
      }
    }
    distances.push(Math.abs(shareSlower(times.known, times.unknown) - 0.5))
  }
  agent.destroy()
  server.close()
  return summary(distances)
}

function timed(url: string, agent: Agent, body: string, status: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const before = performance.now()
    const outgoing = request(url, { method: 'POST', agent, headers }, (res) => {
      const took = performance.now() - before
      res.resume()
      res.once('end', () => {
        if (res.statusCode === status) resolve(took)
        else reject(new Error(`answered ${String(res.statusCode)}`))
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

function shareSlower(known: readonly number[], unknown: readonly number[]): number {
  const slower = known.reduce((sum, a) => sum + unknown.filter((b) => a > b).length, 0)
  return slower / (known.length * unknown.length)
}

function figure(name: string, of: string, question: Question): Figure {
  return {
    name: `enumeration-${name}`,
    what: `how far the time of ${of} tells known from unknown accounts: distance from a half of the share of pairs in which the known one took longer`,
    unit: '(0 is noise, 0.5 is certainty)',
    atMost: 0.1,
    measure: () => measure(question),
  }
}

const address = (isKnown: boolean, index: number): string =>
  `${isKnown ? 'known' : 'other'}-${index % USERS}@example.com`

export const enumeration: readonly Figure[] = [
  figure('login', 'a login with a wrong password', {
    path: '/auth/login/',
    samples: 60,
    status: 401,
    body: (isKnown, index) => ({ email: address(isKnown, index), password: `guess ${index}` }),
  }),
  figure('reset', 'a reset request', {
    path: '/password/reset/',
    samples: 600,
    status: 200,
    body: (isKnown, index) => ({
      email: address(isKnown, index),
      url_template: 'https://app.example.com/?token={token}',
    }),
  }),
  figure('verification', 'a phone code request', {
    path: '/verification/phone/',
    samples: 600,
    status: 200,
    body: (isKnown, index) => ({ phone: `+1555${isKnown ? 1 : 2}${String(index).padStart(6, '0')}` }),
  }),
]
