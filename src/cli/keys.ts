import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { InvalidOptionError } from '../errors.js'
import { textArguments } from './arguments.js'
import { type Command, print } from './command.js'

const pairs: Readonly<Record<string, () => { readonly privateKey: KeyObject }>> = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
}

export const keysCommand: Command = {
  summary: 'make a key for the tokens of the user service',
  help: `Usage: passport-outofband keys [--alg HS256|RS256|ES256|EdDSA]

Prints a new key and nothing else: a secret for HS256 (the default), a private key as PEM for the others. Send it to a
file that only you can read:  (umask 077; passport-outofband keys --alg EdDSA > token-key.pem)`,
  run: async (args) => {
    const { alg = 'HS256' } = textArguments(args, ['alg'])
    if (alg === 'HS256') {
      print(randomBytes(48).toString('base64url'))
      return 0
    }
    const make = Object.hasOwn(pairs, alg) ? pairs[alg] : undefined
    if (make === undefined) throw new InvalidOptionError('--alg', '--alg takes HS256, RS256, ES256 or EdDSA')
    print(make().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trimEnd())
    return 0
  },
}
