import { readFileSync } from 'node:fs'
import { z } from 'zod'

const vector = z.object({
  name: z.string(),
  apiKey: z.string(),
  method: z.string(),
  url: z.string(),
  nonce: z.string(),
  rawBody: z.string().optional(),
  signature: z.string(),
  stringToSign: z.string(),
})

/** A POST callback as it was published, with its signature and the string under it. */
export type PostVector = z.output<typeof vector> & { readonly rawBody: string }

const file = new URL('../test/vectors/authy-onetouch-signatures.json', import.meta.url)
const { vectors } = z.object({ vectors: z.array(vector) }).parse(JSON.parse(readFileSync(file, 'utf8')))

/** The vectors of these names. */
export function postVectors(names: readonly string[]): readonly PostVector[] {
  return names.map((name) => {
    const found = vectors.find((candidate) => candidate.name === name)
    if (found?.rawBody === undefined) throw new Error(`there is no POST vector ${name}`)
    return { ...found, rawBody: found.rawBody }
  })
}
