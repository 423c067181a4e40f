import { type Figure, summary } from './harness.js'
import { curl, Process, sandboxProcess, withFile } from './sendsecure-processes.js'

const MIB = 512
const RUNS = 5

/** Peak memory of a process that uploads, above one that only loads the client. */
export const uploadMemory: Figure = {
  name: 'sendsecure-upload-memory',
  what: `MiB by which a process that uploads ${MIB} MiB peaks above one that only loads the client and signs in`,
  unit: 'MiB',
  atMost: 32,
  measure: async () =>
    withUploads(async (account, path) => {
      const differences: number[] = []
      for (let run = 0; run < RUNS; run += 1) {
        const idle = await peak(account, '')
        differences.push((await peak(account, path)) - idle)
      }
      return summary(differences)
    }),
}

/** Wall time of an upload, against `curl -F` of the same file to the same address. */
export const uploadTime: Figure = {
  name: 'sendsecure-upload-time',
  what: `wall time of an upload of ${MIB} MiB (with SHA-256, from the call on) over that of curl -F of the same file`,
  unit: 'times',
  atMost: 2,
  measure: async () =>
    withUploads(async (account, path) => {
      const quotients: number[] = []
      for (let run = -1; run < RUNS; run += 1) {
        const uploader = new Process('upload', account)
        const { uploadUrl } = await uploader.says()
        const { milliseconds } = await uploader.does(path)
        const other = await curl(path, String(uploadUrl))
        await uploader.end()
        if (run >= 0) quotients.push(Number(milliseconds) / other)
      }
      return summary(quotients)
    }),
}

async function withUploads<T>(use: (account: readonly string[], path: string) => Promise<T>): Promise<T> {
  const { sandbox, account } = await sandboxProcess()
  try {
    return await withFile(MIB, (path) => use(account, path))
  } finally {
    await sandbox.end()
  }
}

async function peak(account: readonly string[], path: string): Promise<number> {
  const uploader = new Process('upload', account)
  await uploader.says()
  await uploader.does(path)
  const mebibytes = uploader.peakMiB()
  await uploader.end()
  return mebibytes
}
