// Words, names and keyboard walks that people take for passwords. Looked for as the whole password, and with up to six
// digits or signs behind it, because that is how people lengthen them.
const STEMS = `
password passw0rd p@ssword p@ssw0rd passwort motdepasse contrasena senha parola haslo salasana wachtwoord
qwerty qwertyu qwertyui qwertyuio qwertyuiop qwertz qwertzuiop azerty azertyuiop asdf asdfgh asdfghjk asdfghjkl
zxcv zxcvbn zxcvbnm 1qaz2wsx 1q2w3e 1q2w3e4r 1q2w3e4r5t qazwsx qazwsxedc q1w2e3r4 zaq12wsx
letmein welcome welcome1 willkommen bienvenue changeme default secret topsecret private access login master
admin administrator root superuser service user guest test testing tester demo example sample temp temporary
iloveyou loveme ilovegod lovely princess sunshine rainbow butterfly flower summer winter spring autumn
football baseball basketball hockey soccer liverpool arsenal chelsea barcelona juventus
monkey dragon tiger lion eagle shadow batman superman spiderman starwars pokemon ninja warrior killer
michael jennifer jessica charlie thomas robert jordan hunter ashley daniel andrew joshua matthew anthony
computer internet samsung google facebook microsoft windows apple amazon android
whatever nothing forever trustno1 freedom hello hellohello helloworld abc123 abcabc abcdef abcdefg abcdefgh
monday tuesday wednesday thursday friday saturday sunday january february october november december
correcthorsebatterystaple passphrase mypassword newpassword password1password thisisapassword thisismypassword
`

const stems: ReadonlySet<string> = new Set(STEMS.split(/\s+/).filter((stem) => stem !== ''))

/** True for a password that is among the first an attacker tries. */
export function isCommonPassword(password: string): boolean {
  const lower = password.toLowerCase()
  if (
    stems.has(lower) ||
    stems.has(lower.replace(/[^\p{L}]{1,6}$/u, '')) ||
    stems.has(lower.replaceAll(/[\s_-]/g, ''))
  ) {
    return true
  }
  return isRepetition(lower) || isWalk(lower)
}

// One short piece over and over: aaaaaaaa, 12121212, abcabcabc, passwordpassword.
function isRepetition(text: string): boolean {
  for (let length = 1; length <= text.length / 2; length += 1) {
    if (text.length % length === 0 && text === text.slice(0, length).repeat(text.length / length)) {
      return length <= 4 || stems.has(text.slice(0, length))
    }
  }
  return false
}

// Up or down the digits or the alphabet, around the corner too: 1234567890123456, abcdefghijklmnop.
function isWalk(text: string): boolean {
  const rings = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm']
  return rings.some((ring) =>
    [1, -1].some((step) =>
      Array.from(text).every((character, index) => {
        const at = ring.indexOf(character)
        const before = index === 0 ? -1 : ring.indexOf(text[index - 1] ?? '')
        return at >= 0 && (index === 0 || at === (before + step + ring.length) % ring.length)
      }),
    ),
  )
}
