import { fork, type ChildProcess } from 'node:child_process'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { StorePlace } from './store-process/open.js'
import type { StoreTask } from './store-process/main.js'
import { waitFor } from './wait-for.js'

const message = z.object({
  id: z.number().optional(),
  acknowledged: z.number().optional(),
  result: z.unknown().optional(),
  error: z.string().optional(),
})

/** Another process with a store on the same data. */
export interface StoreProcess {
  /** Has it do something, and gives the result. */
  run(task: StoreTask['task']): Promise<unknown>
  /** Has it do something that has no end. */
  begin(task: StoreTask['task']): void
  /** How many writes of `write for ever` were acknowledged. */
  readonly acknowledged: number
  /** Ends it as no process can prevent or notice. */
  kill(): Promise<void>
}

/** Starts a process and opens a store in it. */
export async function storeProcess(place: StorePlace): Promise<StoreProcess> {
  const root = resolve(import.meta.dirname, '../..')
  const child = fork(join(import.meta.dirname, 'store-process/main.ts'), {
    cwd: root,
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const answers = new Map<number, { result: unknown; error?: string | undefined }>()
  let acknowledged = 0
  let tasks = 0
  child.on('message', (raw) => {
    const { id, acknowledged: n, result, error } = message.parse(raw)
    if (n !== undefined) acknowledged = n + 1
    if (id !== undefined) answers.set(id, { result, error })
  })
  const begin = (task: StoreTask['task']): number => {
    tasks += 1
    child.send({ id: tasks, task })
    return tasks
  }
  const started: StoreProcess = {
    async run(task) {
      const id = begin(task)
      const answer = await waitFor(
        () => answers.get(id) ?? (gone(child) ? { error: 'it ended', result: undefined } : undefined),
        {
          timeoutMs: 20_000,
          message: `the other process did not ${task.do}`,
        },
      )
      if (answer.error !== undefined) throw new Error(answer.error)
      return answer.result
    },
    begin: (task) => void begin(task),
    get acknowledged() {
      return acknowledged
    },
    async kill() {
      child.kill('SIGKILL')
      await waitFor(() => gone(child))
    },
  }
  await started.run({ do: 'open', place })
  return started
}

function gone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
