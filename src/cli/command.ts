/** One command of `passport-outofband`. Each has a file of its own in this folder, and a line in main.ts. */
export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string
  /** What `--help` prints. */
  readonly help: string
  /** Resolves with the exit code. @throws {@link InvalidOptionError} when the arguments are wrong. */
  run(args: readonly string[]): Promise<number>
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function complain(text: string): void {
  process.stderr.write(`${text}\n`)
}
