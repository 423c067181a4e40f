import { type Figure, type Measured, pairs, summary, wallTime } from './harness.js'
import { curl, Process, sandboxProcess, withFile } from './sendsecure-processes.js'

const MIB = 2048
const PAIRS = 6
const RUNS = 3

/** Throughput of the middleware, against a process that only pipes the same form to the same file server. */
export const middlewareThroughput: Figure = {
  name: 'sendsecure-middleware-throughput',
  what: `throughput of ${MIB} MiB from curl through sendAttachments into the sandbox (hashing, on disk), over that of a bare pipe on the same two hops`,
  unit: 'of the pipe',
  atLeast: 0.8,
  measure: async () =>
    withHops(async (middleware, pipe, path) => {
      const side = (hop: Hop) => async (): Promise<void> => {
        await curl(path, hop.url)
      }
      // What the last one left on the disk goes before the next one starts.
      const tidy = async (): Promise<void> => {
        for (const hop of [middleware, pipe]) await hop.process.does('tidy')
      }
      const run = { pairs: PAIRS, times: 1, warmUp: 1, clock: wallTime, tidy }
      return summary(await pairs(side(pipe), side(middleware), run))
    }),
}

/** Peak memory of the application while a large file goes through, above what it is when it only waits. */
export const middlewareMemory: Figure = {
  name: 'sendsecure-middleware-memory',
  what: `MiB by which an application peaks when ${MIB} MiB go through sendAttachments, above the same one that only waits`,
  unit: 'MiB',
  atMost: 32,
  measure: async () =>
    withHops(async (middleware, _pipe, path) => {
      const idle = middleware.process.peakMiB()
      await curl(path, middleware.url)
      const value = middleware.process.peakMiB() - idle
      return { value, spread: [value, value] }
    }),
}

/** What the multipart parser costs by itself. */
export const parserCost: Figure = {
  name: 'sendsecure-parser-cost',
  what: 'milliseconds of processor time that reading 1 GiB as a form takes, beyond reading the same request as it comes',
  unit: 'ms/GiB',
  atMost: 500,
  measure: async (): Promise<Measured> =>
    withFile(1024, async (path) => {
      const parser = new Process('parser')
      const { parsed, plain } = await parser.says()
      const time = async (url: unknown): Promise<number> => {
        const begin = Number((await parser.does(''))['milliseconds'])
        await curl(path, String(url))
        return Number((await parser.does(''))['milliseconds']) - begin
      }
      const values: number[] = []
      for (let run = -1; run < RUNS; run += 1) {
        const value = (await time(parsed)) - (await time(plain))
        if (run >= 0) values.push(value)
      }
      await parser.end()
      return summary(values)
    }),
}

interface Hop {
  readonly process: Process
  readonly url: string
}

async function withHops<T>(use: (middleware: Hop, pipe: Hop, path: string) => Promise<T>): Promise<T> {
  const { sandbox, account } = await sandboxProcess()
  const start = async (role: string): Promise<Hop> => {
    const hop = new Process(role, account)
    return { process: hop, url: String((await hop.says())['url']) }
  }
  const [middleware, pipe] = [await start('middleware'), await start('pipe')]
  try {
    return await withFile(MIB, (path) => use(middleware, pipe, path))
  } finally {
    await middleware.process.end()
    await pipe.process.end()
    await sandbox.end()
  }
}
