import type { Lane } from '../../lane/reducer'

export interface Point {
  /** Milliseconds since the lane began. */
  at: number
  tokens: number
}

/** Without the model's own count: about what English text has. */
const CHARACTERS_PER_TOKEN = 4

/**
 * The steps of a lane's line. Tokens are only counted at the end, so pieces share the whole by their characters. Steps
 * that fall on one pixel are drawn once. None for what was found again, whose times are not its own.
 */
export function points(lane: Lane): Point[] {
  const { startedAt, arrivals } = lane
  if (startedAt === undefined || lane.foundAgain || arrivals.length === 0) return []
  const characters = arrivals.reduce((sum, arrival) => sum + arrival.characters, 0)
  const counted = lane.usage?.output_tokens
  const perCharacter = counted === undefined ? 1 / CHARACTERS_PER_TOKEN : counted / characters
  const pixel = ((arrivals.at(-1)?.at ?? startedAt) - startedAt) / 600
  const steps: Point[] = [{ at: 0, tokens: 0 }]
  let received = 0
  for (const arrival of arrivals) {
    const at = arrival.at - startedAt
    const before = received * perCharacter
    received += arrival.characters
    const last = steps.at(-1)
    if (last && at - last.at < pixel) last.tokens = received * perCharacter
    else steps.push({ at, tokens: before }, { at, tokens: received * perCharacter })
  }
  return steps
}

/** More numbers than these would touch each other on a phone. */
const MOST_INTERVALS = 5

/** From 0 to at least `value` and `least`, in equal round steps: so the axis grows a step at a time, not with every piece. */
export function axis(value: number, least: number): { step: number; ticks: number[] } {
  const end = Math.max(value, least)
  const power = 10 ** Math.floor(Math.log10(end / MOST_INTERVALS))
  const step = power * ([1, 2, 5].find(round => round * power * MOST_INTERVALS >= end) ?? 10)
  return { step, ticks: Array.from({ length: Math.ceil(end / step) + 1 }, (_, index) => index * step) }
}

/** The next round number at or above `value`: a scale without numbers that grows in steps, not with every piece. */
export function ceiling(value: number, least: number): number {
  if (value <= least) return least
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(candidate => candidate * power >= value) ?? 10
  return step * power
}
