import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonValue, StateStore } from 'passport-outofband'
import type { TestClock } from '../support/test-runtime.js'
import type { Fixture } from './state-store.js'

interface ModelRecord {
  readonly value: JsonValue
  readonly expiresAt: number
  version: string | undefined
}

/** What a store should hold: the simplest thing that could be right. */
interface Model {
  now: number
  readonly records: Map<string, ModelRecord>
  readonly counters: Map<string, { count: number; resetsAt: number }>
  readonly members: Map<string, number>
  readonly seen: Set<string>
}

interface Real {
  readonly store: StateStore
  readonly clock: TestClock
  readonly key: (name: string) => string
}

type Command = fc.AsyncCommand<Model, Real>

/** Any history of calls gives what a map with a clock would give. */
export function stateStoreModel(fixture: () => Promise<Fixture>): void {
  test('answers as a map with a clock would', async () => {
    let run = 0
    const { store, clock, key } = await fixture()
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (history) => {
        run += 1
        const own = run
        await fc.asyncModelRun(
          () => ({
            model: {
              now: clock.now(),
              records: new Map(),
              counters: new Map(),
              members: new Map(),
              seen: new Set<string>(),
            },
            real: { store, clock, key: (name) => key(`${own}.${name}`) },
          }),
          history,
        )
      }),
      { numRuns: 25 },
    )
  })
}

function living(model: Model, name: string): ModelRecord | undefined {
  const record = model.records.get(name)
  return record !== undefined && record.expiresAt > model.now ? record : undefined
}

function command(text: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => text }
}

const names = fc.constantFrom('a', 'b', '\u0000')
const values = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)
const durations = fc.integer({ min: 1, max: 50 })

const commands: fc.Arbitrary<Command>[] = [
  durations.map((ms) =>
    command(`wait ${ms}`, async (model, { clock }) => {
      model.now += ms
      clock.set(model.now)
    }),
  ),
  fc.tuple(names, values, durations).map(([name, value, ttlMs]) =>
    command(`put ${name} for ${ttlMs}`, async (model, { store, key }) => {
      await store.put(key(name), value, { ttlMs })
      model.records.set(name, { value, expiresAt: model.now + ttlMs, version: undefined })
    }),
  ),
  fc.tuple(names, values, durations).map(([name, value, ttlMs]) =>
    command(`putIfAbsent ${name} for ${ttlMs}`, async (model, { store, key }) => {
      const absent = living(model, name) === undefined
      expect(await store.putIfAbsent(key(name), value, { ttlMs })).toBe(absent)
      if (absent) model.records.set(name, { value, expiresAt: model.now + ttlMs, version: undefined })
    }),
  ),
  names.map((name) =>
    command(`get ${name}`, async (model, { store, key }) => {
      const expected = living(model, name)
      const got = await store.get(key(name))
      expect(got && { value: got.value, expiresAt: got.expiresAt }).toEqual(
        expected && { value: expected.value, expiresAt: expected.expiresAt },
      )
      if (expected === undefined || got === undefined) return
      if (expected.version === undefined) {
        expect(model.seen).not.toContain(got.version)
        model.seen.add(got.version)
        expected.version = got.version
      }
      expect(got.version).toBe(expected.version)
    }),
  ),
  names.map((name) =>
    command(`take ${name}`, async (model, { store, key }) => {
      const expected = living(model, name)
      expect((await store.take(key(name)))?.value).toEqual(expected?.value)
      model.records.delete(name)
    }),
  ),
  fc.tuple(names, values, fc.boolean(), fc.option(durations)).map(([name, value, current, ttlMs]) =>
    command(
      `update ${name}, ${current ? 'current' : 'stale'}, ${ttlMs ?? 'same end'}`,
      async (model, { store, key }) => {
        const record = living(model, name)
        const version = current
          ? (await store.get(key(name)))?.version
          : [...model.seen].find((v) => v !== record?.version)
        const fits = current && record !== undefined
        const lifetime = ttlMs === null ? undefined : { ttlMs }
        // A version that was seen may still be the current one of another record: never of this one, unless noted.
        if (!current && (record === undefined || record.version === undefined)) return
        expect(await store.update(key(name), version ?? 'none', value, lifetime)).toBe(fits)
        if (fits) {
          const expiresAt = ttlMs === null ? record.expiresAt : model.now + ttlMs
          model.records.set(name, { value, expiresAt, version: undefined })
        }
      },
    ),
  ),
  names.map((name) =>
    command(`delete ${name}`, async (model, { store, key }) => {
      await store.delete(key(name))
      model.records.delete(name)
      model.counters.delete(name)
    }),
  ),
  fc.tuple(names, durations, fc.integer({ min: 0, max: 3 })).map(([name, windowMs, by]) =>
    command(`increment ${name} by ${by} in ${windowMs}`, async (model, { store, key }) => {
      const old = model.counters.get(name)
      const counter = old !== undefined && old.resetsAt > model.now ? old : { count: 0, resetsAt: model.now + windowMs }
      counter.count += by
      if (counter.count > 0) model.counters.set(name, counter)
      expect(await store.increment(key(name), { windowMs, by })).toEqual(counter)
    }),
  ),
  fc.tuple(names, fc.integer({ min: -20, max: 50 })).map(([member, inMs]) =>
    command(`schedule ${member} in ${inMs}`, async (model, { store, key }) => {
      await store.schedule(key('q'), member, model.now + inMs)
      model.members.set(member, model.now + inMs)
    }),
  ),
  names.map((member) =>
    command(`unschedule ${member}`, async (model, { store, key }) => {
      await store.unschedule(key('q'), member)
      model.members.delete(member)
    }),
  ),
  fc.tuple(durations, fc.option(names)).map(([leaseMs, only]) =>
    command(`claim ${only ?? 'any'} for ${leaseMs}`, async (model, { store, key }) => {
      const due = [...model.members]
        .filter(([member, dueAt]) => dueAt <= model.now && (only === null || member === only))
        .map(([member]) => member)
      const claimed = await store.claim(key('q'), { leaseMs, limit: 10, ...(only === null ? {} : { member: only }) })
      expect([...claimed].sort()).toEqual(due.sort())
      for (const member of due) model.members.set(member, model.now + leaseMs)
    }),
  ),
]
