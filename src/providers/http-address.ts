import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const blocked = new BlockList()
// RFC 6890 and the registries it began: what is not on the public network.
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  blocked.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
  // Translations and tunnels, which carry any IPv4 address: no file server is behind one.
  ['64:ff9b::', 96],
  ['2002::', 16],
] as const)
  blocked.addSubnet(net, prefix, 'ipv6')

/** Whether an IP address is not a public one. A name is none, and is judged once it is resolved. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return false
  // Of a mapped address (::ffff:10.0.0.1) the list judges the IPv4 part itself.
  return blocked.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** Resolves a name, and refuses it if any of its addresses is private: checked on what is then connected to. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, found: LookupAddress[] | undefined) => {
    const addresses = found ?? []
    const first = addresses[0]
    if (error || first === undefined) {
      callback(error ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), [])
      return
    }
    if (addresses.some(({ address }) => isPrivateAddress(address))) {
      callback(Object.assign(new Error('a private address'), { code: 'PRIVATE_ADDRESS' }), [])
      return
    }
    if (options.all) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}
