import { type ChildProcess, spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('sendsecure-process.ts', import.meta.url))

/** A process of the figures, seen from outside. */
export class Process {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(role: string, words: readonly string[] = []) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', program, role, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    if (!this.#child.stdout) throw new Error('no output')
    const lines: Interface = createInterface({ input: this.#child.stdout })
    this.#lines = lines[Symbol.asyncIterator]()
  }

  /** What it says next. */
  async says(): Promise<Readonly<Record<string, unknown>>> {
    const next = await this.#lines.next()
    if (next.done) throw new Error('the process ended')
    return JSON.parse(next.value) as Record<string, unknown>
  }

  /** Has it do its work, and waits for the end of it. */
  async does(line: string): Promise<Readonly<Record<string, unknown>>> {
    this.#child.stdin?.write(`${line}\n`)
    return this.says()
  }

  /** The most memory it ever had, in MiB: the kernel's own count. */
  peakMiB(): number {
    const status = readFileSync(`/proc/${String(this.#child.pid)}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
  }

  async end(): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.stdin?.end()
    await closed
  }
}

/** A sandbox in a process of its own, and what its clients are started with. */
export async function sandboxProcess(): Promise<{ sandbox: Process; account: readonly string[] }> {
  const sandbox = new Process('sandbox')
  const { account } = await sandbox.says()
  return { sandbox, account: account as readonly string[] }
}

/** Runs `curl -F` on a file. Gives the milliseconds of the whole process. */
export async function curl(path: string, url: string): Promise<number> {
  const begin = performance.now()
  const args = ['-sS', '--fail', '-o', '/dev/null', '-F', `file=@${path};filename=a.bin`, url]
  const child = spawn('curl', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`curl ended with ${code}`)
  return performance.now() - begin
}

/** A file of so many MiB that does not compress, while something is done with it. */
export async function withFile<T>(mebibytes: number, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sendsecure-bench-'))
  const path = join(folder, 'a.bin')
  try {
    const file = await open(path, 'w')
    const piece = Buffer.allocUnsafe(1024 * 1024)
    for (let index = 0; index < mebibytes; index += 1) {
      randomFillSync(piece)
      await file.write(piece)
    }
    await file.close()
    return await use(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
