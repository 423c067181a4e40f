import { fork } from 'node:child_process'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { ApprovalTask } from '../support/approval-process/main.js'
import { temporaryFolder } from '../support/temporary.js'
import { waitFor } from '../support/wait-for.js'

const answerSchema = z.object({ id: z.number(), result: z.unknown().optional(), error: z.string().optional() })
const handleSchema = z.object({ id: z.string(), secret: z.string() })

/** A process of an application, with approvals on a SQLite file. */
async function approvalProcess(file: string) {
  const child = fork(resolve(import.meta.dirname, '../support/approval-process/main.ts'), {
    cwd: resolve(import.meta.dirname, '../..'),
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const answers = new Map<number, z.output<typeof answerSchema>>()
  let tasks = 0
  child.on('message', (raw) => {
    const answer = answerSchema.parse(raw)
    answers.set(answer.id, answer)
  })
  const run = async (task: ApprovalTask['task']): Promise<unknown> => {
    tasks += 1
    const id = tasks
    child.send({ id, task })
    const { result, error } = await waitFor(() => answers.get(id), { timeoutMs: 20_000, message: `no ${task.do}` })
    if (error !== undefined) throw new Error(error)
    return result
  }
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await waitFor(() => child.exitCode !== null || child.signalCode !== null)
  }
  onTestFinished(kill)
  await run({ do: 'open', file })
  return { run, kill }
}

const setUp = async () => {
  const file = join(temporaryFolder(), 'app.db')
  return { file, first: await approvalProcess(file) }
}

const soon = (): number => Date.now() + 500

test('of 50 simultaneous redeems by two processes on one SQLite file one gets in [SC 29, 96]', async () => {
  const { file, first } = await setUp()
  const second = await approvalProcess(file)
  const handle = handleSchema.parse(await first.run({ do: 'start' }))
  await first.run({ do: 'press approve' })
  expect(await first.run({ do: 'wait', handle })).toBe('approved')
  const task = { do: 'redeem', handle, times: 25, at: soon() } as const
  const outcomes = z.array(z.string()).parse((await Promise.all([first.run(task), second.run(task)])).flat())
  expect(outcomes.filter((outcome) => outcome === 'in')).toHaveLength(1)
  expect(new Set(outcomes)).toEqual(new Set(['in', 'ApprovalNotRedeemableError: redeemed']))
})

test('an approval survives kill -9 between approve and redeem, is redeemed by another process, and then never again [SC 29]', async () => {
  const { file, first } = await setUp()
  const handle = handleSchema.parse(await first.run({ do: 'start' }))
  await first.run({ do: 'press approve' })
  expect(await first.run({ do: 'wait', handle })).toBe('approved')
  await first.kill()
  const second = await approvalProcess(file)
  const redeem = { do: 'redeem', handle, times: 1, at: 0 } as const
  expect(await second.run(redeem)).toEqual(['in'])
  await second.kill()
  const third = await approvalProcess(file)
  expect(await third.run(redeem)).toEqual(['ApprovalNotRedeemableError: redeemed'])
})

test('a restart between push and approve loses nothing, and another secret learns nothing from either process [SC 28]', async () => {
  const { file, first } = await setUp()
  const handle = handleSchema.parse(await first.run({ do: 'start' }))
  expect(await first.run({ do: 'status', handle })).toBe('pending')
  await first.kill()
  const second = await approvalProcess(file)
  const stolen = { id: handle.id, secret: 'A'.repeat(43) }
  await expect(second.run({ do: 'status', handle: stolen })).rejects.toThrow('ApprovalNotFoundError')
  const redeemed = await second.run({ do: 'redeem', handle: stolen, times: 1, at: 0 })
  expect(redeemed).toEqual(['ApprovalNotFoundError: undefined'])
  await second.run({ do: 'press approve' })
  expect(await second.run({ do: 'wait', handle })).toBe('approved')
  expect(await second.run({ do: 'redeem', handle, times: 1, at: 0 })).toEqual(['in'])
})
