/** What a figure came to. */
export interface Measured {
  /** The median. */
  readonly value: number
  /** Quartiles: half of the runs lie between them. */
  readonly spread: readonly [low: number, high: number]
  /** What else was measured on the way. */
  readonly note?: string
}

/** One claim about speed. */
export interface Figure {
  readonly name: string
  /** What the value is, in a sentence. */
  readonly what: string
  readonly unit: string
  /** The value should be at least, or at most, this. */
  readonly atLeast?: number
  readonly atMost?: number
  measure(): Promise<Measured>
}

/** One side of a comparison: does its work so and so many times. */
export type Side = (times: number) => void | Promise<void>

/** How two sides are compared. */
export interface Run {
  readonly pairs: number
  readonly times: number
  /** Pairs that are run first and not counted. */
  readonly warmUp: number
  /** What has to be done anew for each pair, and is not timed. */
  readonly prepare?: () => void
  /** What has to be done after each side, and is not timed. */
  readonly tidy?: () => Promise<void>
  /** A pair is first, second, second, first (or the reverse): what drifts meanwhile meets both alike. */
  readonly isMirrored?: boolean
  /** Default {@link processorTime}. */
  readonly clock?: Clock
}

/** A clock that counts milliseconds. */
export type Clock = () => number | Promise<number>

/** Time on the wall: for what several processes do together. */
export const wallTime: Clock = () => performance.now()

/** The processor time that this process used: what else the machine does hardly shows in it. */
export const processorTime: Clock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Times two sides in pairs, one right after the other and in changing order, so that whatever else the machine does
 * meets both. Returns the quotient `first / second` of each pair.
 */
export async function pairs(first: Side, second: Side, run: Run): Promise<number[]> {
  const quotients: number[] = []
  for (let turn = -run.warmUp; turn < run.pairs; turn += 1) {
    const isSwapped = turn % 2 !== 0
    let [a, b] = await pair(first, second, run, isSwapped)
    if (run.isMirrored === true) {
      const [again, other] = await pair(first, second, run, !isSwapped)
      a += again
      b += other
    }
    if (turn >= 0) quotients.push(a / b)
  }
  return quotients
}

async function pair(first: Side, second: Side, run: Run, isSwapped: boolean): Promise<readonly [number, number]> {
  run.prepare?.()
  const before = await timed(isSwapped ? second : first, run)
  const after = await timed(isSwapped ? first : second, run)
  return isSwapped ? [after, before] : [before, after]
}

/** Median and quartiles. */
export function summary(values: readonly number[]): Measured {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (part: number): number => sorted[Math.round((sorted.length - 1) * part)] ?? Number.NaN
  return { value: at(0.5), spread: [at(0.25), at(0.75)] }
}

async function timed(side: Side, { times, clock = processorTime, tidy }: Run): Promise<number> {
  const start = await clock()
  await side(times)
  const time = (await clock()) - start
  await tidy?.()
  return time
}
