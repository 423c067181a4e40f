import express from 'express'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MemoryStateStore } from 'passport-outofband/stores'
import { oneTouchCallback } from 'passport-outofband/webhooks'
import { z } from 'zod'

// A process of its own, so that what sends the requests doesn't take its time from them.
const { apiKey, callbackUrl, side } = z
  .object({ apiKey: z.string(), callbackUrl: z.string(), side: z.enum(['ours', 'bare']) })
  .parse(process.env)

let seen = 0
let handler = receiver()
const ours = express()
ours.post('/authy/callback', (req, res) => {
  // Deliveries are remembered for ten minutes. Some thousand is what ten a second leave behind, not what a bench does.
  if ((seen += 1) % 5000 === 0) handler = receiver()
  handler(req, res)
})

const bare = express()
bare.post('/authy/callback', express.json(), (_req, res) => {
  res.status(200).end()
})

function receiver(): ReturnType<typeof oneTouchCallback> {
  return oneTouchCallback({ apiKey, callbackUrl, state: new MemoryStateStore(), onEvent: () => undefined })
}

const server = createServer(side === 'ours' ? ours : bare)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
// How much processor time this process has used, whenever it is asked.
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.((user + system) / 1000)
})
process.on('disconnect', () => process.exit(0))
