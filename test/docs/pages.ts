import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** A page of the documentation, and the program that its snippets make. */
export interface Page {
  readonly name: string
  /** What is in the page's ```ts blocks, and in its `<!-- ts ... -->` comments: one module, imports first. */
  readonly program: string | undefined
}

/** README.md and everything in docs. */
export function pages(): readonly Page[] {
  const files = ['README.md', ...readdirSync(join(root, 'docs')).map((file) => `docs/${file}`)]
  return files
    .filter((file) => file.endsWith('.md'))
    .map((file) => ({ name: file, program: programOf(readFileSync(join(root, file), 'utf8')) }))
}

// A reader reads the snippets of a page one after the other, so they are one program. What they take for granted (an app,
// a signed-in user) stands in comments that a reader doesn't see.
function programOf(markdown: string): string | undefined {
  const blocks = [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$|^<!-- ts\n([\s\S]*?)^-->$/gm)]
  if (!blocks.some(([block]) => block.startsWith('```'))) return undefined
  const source = blocks.map(([, shown, hidden]) => shown ?? hidden ?? '').join('\n')
  const imports = new Map<string, Set<string>>()
  const body = source.replace(
    /^import (type )?([\s\S]*?) from '([^']+)'\n/gm,
    (_all, type: string | undefined, what: string, from: string) => {
      const names = what.startsWith('{') ? what.slice(1, -1).split(',') : [what]
      const key = `${type ?? ''}${what.startsWith('{') ? 'named' : 'default'} ${from}`
      const known = imports.get(key) ?? new Set<string>()
      for (const name of names) if (name.trim() !== '') known.add(name.trim())
      imports.set(key, known)
      return ''
    },
  )
  return `${[...imports].map(([key, names]) => importLine(key, [...names])).join('\n')}\n${body}\nexport {}\n`
}

function importLine(key: string, names: readonly string[]): string {
  const [, type = '', kind, from = ''] = /^(type )?(named|default) (.*)$/.exec(key) ?? []
  return `import ${type}${kind === 'named' ? `{ ${names.join(', ')} }` : names.join(', ')} from '${from}'`
}
