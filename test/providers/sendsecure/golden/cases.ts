import { readFileSync } from 'node:fs'
import { z } from 'zod'

const record = z.record(z.string(), z.unknown())

const body = z.object({
  bytes: z.number().optional(),
  text: z.string().optional(),
  json: z.unknown().optional(),
  multipart: z
    .object({
      parts: z.array(
        z.object({ headers: z.array(z.string()), size: z.number(), sha256: z.string(), text: z.string().optional() }),
      ),
    })
    .optional(),
})

const exchange = z.object({
  request: z.object({
    origin: z.enum(['portal', 'sendsecure', 'fileserver']),
    method: z.string(),
    path: z.string(),
    rawQuery: z.string(),
    query: z.array(z.tuple([z.string(), z.string()])),
    headers: z.record(z.string(), z.string()),
    body,
  }),
  response: z.object({ status: z.number(), headers: z.record(z.string(), z.string()), body }),
})

const goldenCase = z.object({
  name: z.string(),
  call: z.string(),
  clientOptions: record,
  args: record,
  exchanges: z.array(exchange),
  clientOutcome: z.object({
    ok: z.boolean(),
    returns: z.unknown().optional(),
    raises: z.object({ type: z.string(), code: z.unknown().optional(), message: z.string().optional() }).optional(),
  }),
})

export type GoldenCase = z.output<typeof goldenCase>
export type Exchange = z.output<typeof exchange>

const file = z
  .object({
    about: z.object({ files: z.object({ contents: z.record(z.string(), z.string()) }) }),
    cases: z.array(goldenCase),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../vectors/sendsecure-wire.json', import.meta.url), 'utf8')))

export const cases = file.cases

/** The small files that the recorded uploads sent. */
export const files = new Map(
  Object.entries(file.about.files.contents).map(([name, content]) => [name, Buffer.from(content, 'base64')]),
)
