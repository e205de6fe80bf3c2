/**
 * Two times closer than this are level. Below it the clocks decide, not the architectures: a browser's own is coarse, a
 * time stamp waits for the event loop, and one run after another differs by as much.
 */
const TELLS_APART = { ms: 5, share: 0.02 }

/** Whether nobody can tell which of the two is less. `floor` is in their unit; 0 leaves only the share. */
export function level(a: number, b: number, floor = TELLS_APART.ms): boolean {
  return Math.abs(a - b) < Math.max(floor, TELLS_APART.share * Math.min(a, b))
}

/** A time in milliseconds. */
export interface Entry<Name> {
  name: Name
  value: number | undefined
  /** The slowest, or nearly, of several runs of which `value` is the median. */
  slow?: number | undefined
}

export interface Standing<Name> {
  /** One is the winner. Several are level. The least first. */
  leaders: [Name, ...Name[]]
  /** The least. */
  value: number
  /** Between the first and the last of the leaders. */
  spread: number
  /** How much later than the least the others are, the next one first. */
  behind: { name: Name; by: number; percent: number }[]
  /** Of the others, level or behind: whose median the slow runs of the least do not beat. */
  overlapping: Name[]
}

/** Who has the least. Undefined unless two can be compared. */
export function least<Name>(entries: readonly Entry<Name>[]): Standing<Name> | undefined {
  const [first, ...others] = entries
    .flatMap(({ value, ...entry }) => (value === undefined ? [] : [{ ...entry, value }]))
    .toSorted((a, b) => a.value - b.value)
  if (!first || others.length === 0) return undefined
  const close = others.filter(({ value }) => level(first.value, value))
  return {
    leaders: [first.name, ...close.map(({ name }) => name)],
    value: first.value,
    spread: (close.at(-1) ?? first).value - first.value,
    behind: others.slice(close.length).map(({ name, value }) => {
      const by = value - first.value
      return { name, by, percent: first.value > 0 ? (by / first.value) * 100 : 0 }
    }),
    overlapping: others.flatMap(({ name, value }) => (value <= (first.slow ?? Number.NEGATIVE_INFINITY) ? [name] : [])),
  }
}
