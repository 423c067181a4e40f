import { TOTP, URI } from 'otpauth'
import { SandboxError } from '../../errors.js'
import type { StandInContext } from '../stand-in.js'
import type { PhoneSource } from './hub.js'
import type { DeviceCode, PhoneDevice } from './model.js'

/** An ordinary authenticator app on the phone: whatever `otpauth://totp/...` QR code is scanned shows its codes. */
export function authenticator(context: StandInContext): PhoneSource {
  const accounts = new Map<string, { readonly device: PhoneDevice; readonly totp: TOTP }>()
  return {
    provider: 'authenticator',
    devices: () => [...accounts.values()].map(({ device }) => device),
    enrol: async ({ link, name }) => {
      if (!link?.startsWith('otpauth://totp/')) return undefined
      const totp = read(link)
      const device: PhoneDevice = {
        id: `authenticator-${accounts.size + 1}`,
        provider: 'authenticator',
        owner: totp.label,
        name: name ?? (totp.issuer || 'Authenticator'),
        showsCode: true,
        enrolledAt: context.now(),
      }
      accounts.set(device.id, { device, totp })
      return device
    },
    code: (id) => {
      const account = accounts.get(id)
      if (!account) throw new SandboxError('not-found', 'there is no such device')
      return show(account.totp, context.now())
    },
  }
}

function read(link: string): TOTP {
  try {
    const key = URI.parse(link)
    if (key instanceof TOTP) return key
  } catch (cause) {
    throw new SandboxError('invalid', 'this otpauth link can not be read', { cause })
  }
  throw new SandboxError('invalid', 'only time-based codes are shown')
}

function show(totp: TOTP, now: number): DeviceCode {
  return { code: totp.generate({ timestamp: now }), expiresAt: now + totp.remaining({ timestamp: now }) }
}
