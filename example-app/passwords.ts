import { hash, verify } from '@node-rs/argon2'

// OWASP's parameters for argon2id: 19 MiB, two passes, one lane.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** An argon2id hash, with its salt and parameters. */
export async function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), parameters)
}

let decoy: Promise<string> | undefined

/** True for the right password. Without a hash to compare with, one is computed all the same: the time tells nothing. */
export async function isPassword(stored: string | undefined, password: string): Promise<boolean> {
  decoy ??= hashPassword('a password that nobody has')
  const matches = await verify(stored ?? (await decoy), password.normalize('NFKC'))
  return stored !== undefined && matches
}
