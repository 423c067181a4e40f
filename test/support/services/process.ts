import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { waitFor } from '../wait-for.js'

/** A server that a test may stop, kill and start again, on the same port and with the same data. */
export interface Service {
  readonly url: string
  readonly port: number
  /** Starts it again after `stop`. */
  start(): Promise<void>
  /** Ends it by a signal (default: as its operator would) and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Stops it for good and removes its data. */
  dispose(): Promise<void>
}

/** A child process, and the text it wrote to standard error. */
export interface Child {
  readonly pid: number
  readonly log: () => string
  readonly gone: () => boolean
}

// The server ends with the process that asked for it, also when that one is killed and can't clean up: then the pipe from it ends.
const guardian = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
echo $server
( read -r end <&3; kill $server; sleep 5; kill -KILL $server ) 2>/dev/null &
watcher=$!
wait $server
kill $watcher 2>/dev/null`

/** Runs a server until it ends, or until this process does. */
export async function runServer(
  command: readonly string[],
  options: { readonly uid?: number | undefined; readonly gid?: number | undefined; readonly cwd: string },
): Promise<Child> {
  const child = spawn('/bin/sh', ['-c', guardian, 'guardian', ...command], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
    detached: true,
  })
  let out = ''
  let log = ''
  let gone = false
  child.stdout.on('data', (chunk: Buffer) => (out = (out + chunk.toString()).slice(0, 200)))
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)))
  child.on('error', (error) => (log += String(error)))
  child.on('close', () => (gone = true))
  child.unref()
  const line = await waitFor(() => gone || /^(\d+)\n/.exec(out)?.[1], { message: 'the server did not start' })
  return { pid: Number(line), log: () => log, gone: () => gone }
}

/** Sends a signal to a server and waits until it is gone. */
export async function endServer(child: Child, signal: NodeJS.Signals): Promise<void> {
  if (child.gone()) return
  try {
    process.kill(child.pid, signal)
  } catch {
    // It ended in this very moment.
  }
  await waitFor(child.gone, { timeoutMs: 20_000, message: `the server did not end by ${signal}` })
}

/** A port of loopback on which nothing listened a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
