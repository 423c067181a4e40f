import { type Figure, type Measured, summary } from './harness.js'
import { curl, Process, sandboxProcess, withFile } from './sendsecure-processes.js'

const MIB = 2048
const RUNS = 3

/** Throughput of the middleware, against a process that only pipes the same form to the same file server. */
export const middlewareThroughput: Figure = {
  name: 'sendsecure-middleware-throughput',
  what: `throughput of ${MIB} MiB from curl through sendAttachments into the sandbox (hashing, on disk), over that of a bare pipe on the same two hops`,
  unit: 'of the pipe',
  atLeast: 0.8,
  measure: async () =>
    withHops(async (middleware, pipe, path) => {
      const quotients: number[] = []
      for (let run = 0; run < RUNS; run += 1) {
        const through = await curl(path, middleware.url)
        quotients.push((await curl(path, pipe.url)) / through)
      }
      return summary(quotients)
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
  what: 'milliseconds of processor time that the multipart parser takes for 1 GiB, beyond reading it',
  unit: 'ms/GiB',
  atMost: 2000,
  measure: async (): Promise<Measured> =>
    withFile(1024, async (path) => {
      const values: number[] = []
      for (let run = 0; run < RUNS; run += 1) {
        const parser = new Process('parser')
        await parser.says()
        values.push(Number((await parser.does(path))['milliseconds']))
        await parser.end()
      }
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
