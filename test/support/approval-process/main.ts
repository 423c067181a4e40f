import { createApprovals, type ApprovalChannel, type ApprovalHandle, type Approvals } from '../../../src/index.js'
import { openStore } from '../store-process/open.js'

/** What the test asks this process to do. Each is answered by a message with the same id. */
export interface ApprovalTask {
  readonly id: number
  readonly task:
    | { readonly do: 'open'; readonly file: string }
    | { readonly do: 'start' }
    | { readonly do: 'press approve' }
    | { readonly do: 'wait' | 'status'; readonly handle: ApprovalHandle }
    | { readonly do: 'redeem'; readonly handle: ApprovalHandle; readonly times: number; readonly at: number }
}

let approvals: Approvals | undefined
let pressed = false

// A provider whose answers outlive this process: every process asks the same phone.
const channel: ApprovalChannel = {
  name: 'phone',
  factor: 'push',
  amr: ['mca'],
  proof: 'approve',
  pollIntervalMs: 100,
  start: async ({ approvalId }) => ({ reference: `question of ${approvalId}` }),
  check: async ({ recipients }) => ({
    decisions: recipients.map(({ reference }) => ({ reference, status: pressed ? 'approved' : 'pending' })),
  }),
}

async function perform({ task }: ApprovalTask): Promise<unknown> {
  if (task.do === 'open') {
    const { store } = await openStore({ kind: 'sqlite', at: task.file })
    approvals = createApprovals({ state: store, channels: [channel] })
    return 'open'
  }
  if (task.do === 'press approve') {
    pressed = true
    return 'pressed'
  }
  if (approvals === undefined) throw new Error('not open')
  const mine = approvals
  switch (task.do) {
    case 'start': {
      const question = { channel, subject: 'alice', reference: '1635', purpose: 'login', message: 'Sign in?' }
      const { id, secret } = await mine.start(question)
      return { id, secret }
    }
    case 'wait':
      return (await mine.wait(task.handle, { timeoutMs: 10_000 })).status
    case 'status':
      return (await mine.status(task.handle)).status
    case 'redeem': {
      // Both processes begin at the same moment, or there would be no race.
      await new Promise((resolve) => setTimeout(resolve, task.at - Date.now()))
      const login = { ...task.handle, subject: 'alice', purpose: 'login' }
      return Promise.all(Array.from({ length: task.times }, () => outcomeOf(mine.redeem(login))))
    }
  }
}

function outcomeOf(redeeming: Promise<unknown>): Promise<string> {
  return redeeming.then(
    () => 'in',
    (error: unknown) => (error instanceof Error ? `${error.name}: ${String(Reflect.get(error, 'reason'))}` : 'unknown'),
  )
}

process.on('message', (message: ApprovalTask) => {
  perform(message).then(
    (result) => process.send?.({ id: message.id, result }),
    (error: unknown) => process.send?.({ id: message.id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
