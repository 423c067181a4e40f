import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { makeTemporaryFolder, removeFolder } from '../temporary.js'
import { waitFor } from '../wait-for.js'
import { endServer, freePort, runServer, type Child, type Service } from './process.js'

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/** Starts a private PostgreSQL: a data folder of its own, a password of its own, a free port of loopback. */
export async function startPostgres(programs: string): Promise<Service> {
  const owner = serverOwner()
  const folder = makeTemporaryFolder()
  const data = join(folder, 'data')
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(folder, 'password')
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  const { uid, gid } = owner
  if (uid !== undefined && gid !== undefined) for (const path of [folder, data, passwordFile]) chownSync(path, uid, gid)
  await promisify(execFile)(
    join(programs, 'initdb'),
    // prettier-ignore
    ['-D', data, '-U', 'app', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--no-sync', '--encoding=UTF8', '--locale=C'],
    { cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C' }, ...owner },
  )
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port,
    fsync: 'off',
    max_connections: 200,
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const command = [join(programs, 'postgres'), '-D', data, ...options]
  const url = `postgres://app:${password}@127.0.0.1:${port}/postgres`
  let child: Child | undefined
  const service: Service = {
    url,
    port,
    async start() {
      const started = await runServer(command, { cwd: folder, ...owner })
      child = started
      await waitFor(() => started.gone() || answers(url), { timeoutMs: 30_000, message: 'PostgreSQL did not answer' })
      if (started.gone()) throw new Error(`PostgreSQL did not start: ${started.log()}`)
    },
    async stop(signal = 'SIGINT') {
      if (child !== undefined) await endServer(child, signal)
    },
    async dispose() {
      await service.stop('SIGQUIT')
      removeFolder(folder)
    },
  }
  await service.start()
  return service
}

// PostgreSQL refuses to run as root.
function serverOwner(): Owner {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (user === undefined) throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
