import { connect } from 'node:net'
import { makeTemporaryFolder, removeFolder } from '../temporary.js'
import { waitFor } from '../wait-for.js'
import { endServer, freePort, runServer, type Child, type Service } from './process.js'

/** Starts a private Redis. With `durable`, an acknowledged write survives a crash. */
export async function startRedis(program: string, { durable = false } = {}): Promise<Service> {
  const folder = makeTemporaryFolder()
  const port = await freePort()
  const persistence = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
  const command = [
    program,
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    ...persistence,
  ]
  let child: Child | undefined
  const service: Service = {
    url: `redis://127.0.0.1:${port}`,
    port,
    async start() {
      const started = await runServer(command, { cwd: folder })
      child = started
      await waitFor(() => started.gone() || answersPing(port), { timeoutMs: 20_000, message: 'Redis did not answer' })
      if (started.gone()) throw new Error(`Redis did not start: ${started.log()}`)
    },
    async stop(signal = 'SIGTERM') {
      if (child !== undefined) await endServer(child, signal)
    },
    async dispose() {
      await service.stop('SIGKILL')
      removeFolder(folder)
    },
  }
  await service.start()
  return service
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.setTimeout(1_000, () => socket.destroy())
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('+PONG'))
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}
