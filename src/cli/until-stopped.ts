import { fstatSync } from 'node:fs'

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
const parentCheckMs = 250

/**
 * Watches for the end from the moment it is called: a signal, or the parent's going. A parent that is killed can't
 * send a signal, so its process id and, where standard input is a pipe that it holds, that pipe are watched.
 */
export function untilStopped(): { wait(): Promise<void>; forget(): void } {
  const parent = process.ppid
  const state = { waiting: false, stop: (): void => undefined }
  const stopped = new Promise<void>((resolve) => (state.stop = resolve))
  const timer = setInterval(() => {
    if (process.ppid !== parent) state.stop()
  }, parentCheckMs)
  for (const signal of signals) process.once(signal, state.stop)
  // Whoever reads our output may close it; that is no reason to crash.
  process.stdout.on('error', () => undefined)
  const onEnd = (): void => {
    // A pipe that was closed from the start was never meant as a leash.
    if (state.waiting) state.stop()
  }
  const leash = isPipe()
  if (leash) process.stdin.on('end', onEnd).on('error', onEnd).resume()
  return {
    wait: () => {
      state.waiting = true
      return stopped
    },
    forget: () => {
      clearInterval(timer)
      for (const signal of signals) process.off(signal, state.stop)
      if (leash) process.stdin.destroy()
    },
  }
}

function isPipe(): boolean {
  try {
    const stat = fstatSync(0)
    return stat.isFIFO() || stat.isSocket()
  } catch {
    return false
  }
}
