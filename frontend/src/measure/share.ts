/** A race's result in the fragment of an address: it never reaches a server, and holds neither prompt nor text. */

import { ARCHITECTURES, type Architecture } from '../transports/transport'

/** Of one architecture over all runs that were done: medians. */
export interface SharedLane {
  runs: number
  connectMs?: number | undefined
  acceptedMs?: number | undefined
  firstTokenMs?: number | undefined
  firstTokenP95Ms?: number | undefined
  interTokenP50Ms?: number | undefined
  interTokenP95Ms?: number | undefined
  tokensPerSecond?: number | undefined
  totalMs?: number | undefined
  bytes?: number | undefined
  messages?: number | undefined
  outputTokens?: number | undefined
  costPerThousand?: number | undefined
}

export interface SharedResult {
  /** The day of the race, ISO 8601 in UTC: `2026-11-22`. */
  day: string
  lanes: Partial<Record<Architecture, SharedLane>>
}

/** The order of the numbers in the address. To be changed only together with `VERSION`. */
const NUMBERS = [
  'runs',
  'connectMs',
  'acceptedMs',
  'firstTokenMs',
  'firstTokenP95Ms',
  'interTokenP50Ms',
  'interTokenP95Ms',
  'tokensPerSecond',
  'totalMs',
  'bytes',
  'messages',
  'outputTokens',
  'costPerThousand',
] as const
const KEY = 'result'
const VERSION = '1'
/** What we write has some 300 characters. */
const MAX_LENGTH = 2_000
/** Nothing that is measured comes near. */
const MAX_NUMBER = 1e12

/**
 * With the digits that the address keeps, so that whoever races reads the same as whoever opens the link: a difference of
 * 44.5 ms can be 44 or 45 by its last bit.
 */
export function shareable(lane: SharedLane): SharedLane {
  const digits = NUMBERS.flatMap(name => {
    const value = lane[name]
    return value === undefined ? [] : [[name, Number(value.toPrecision(6))]]
  })
  return { runs: lane.runs, ...Object.fromEntries(digits) }
}

/** The fragment, without `#`: `result=1~2026-11-22~f,1,12.5,...~w,...~a,...`; a number not known is empty. */
export function toFragment({ day, lanes }: SharedResult): string {
  const parts = ARCHITECTURES.flatMap(architecture => {
    const lane = lanes[architecture]
    if (!lane) return []
    const digits = shareable(lane)
    return [[architecture[0], ...NUMBERS.map(name => digits[name] ?? '')].join(',')]
  })
  return `${KEY}=${[VERSION, day, ...parts].join('~')}`
}

/** Undefined for whatever is not a result of this version. */
export function fromFragment(fragment: string): SharedResult | undefined {
  const text = fragment.replace(/^#/, '')
  if (!text.startsWith(`${KEY}=`) || text.length > MAX_LENGTH) return undefined
  const [version, day, ...parts] = text.slice(KEY.length + 1).split('~')
  if (version !== VERSION || day === undefined || !isDay(day) || parts.length === 0) return undefined
  const lanes: SharedResult['lanes'] = {}
  for (const part of parts) {
    const [letter, ...numbers] = part.split(',')
    const architecture = ARCHITECTURES.find(known => known[0] === letter)
    const lane = laneOf(numbers)
    if (!architecture || lanes[architecture] || !lane) return undefined
    lanes[architecture] = lane
  }
  return { day, lanes }
}

function laneOf(numbers: string[]): SharedLane | undefined {
  if (numbers.length !== NUMBERS.length) return undefined
  const lane: Partial<SharedLane> = {}
  for (const [index, name] of NUMBERS.entries()) {
    const text = numbers[index]
    if (!text) continue
    // Numbers that we would write ourselves, which leaves out all that is merely convertible, such as `0x1`.
    const value = /^\d+(\.\d+)?(e[+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
    if (!(value <= MAX_NUMBER)) return undefined
    lane[name] = value
  }
  return lane.runs !== undefined && Number.isInteger(lane.runs) && lane.runs > 0
    ? { ...lane, runs: lane.runs }
    : undefined
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  // `2026-02-31` would be a day of March.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}
