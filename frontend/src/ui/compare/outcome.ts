import type { Lane } from '../../lane/reducer'
import { cost } from '../../measure/cost'
import type { Run } from '../../measure/export'
import { type Measurement, measure } from '../../measure/measurement'
import type { Prices } from '../../measure/prices'
import { type SharedLane, type SharedResult, shareable } from '../../measure/share'
import { least } from '../../measure/standing'
import { median, percentile } from '../../measure/statistics'
import { ARCHITECTURES, type Architecture } from '../../transports/transport'
import type { Result, Round } from './race'

const measurements = new WeakMap<Lane, Measurement>()

/** The numbers of a lane; undefined before it has begun. A lane never changes, so they are computed once for each. */
export function measured(lane: Lane): Measurement | undefined {
  if (lane.phase === 'idle') return undefined
  const known = measurements.get(lane) ?? measure(lane)
  measurements.set(lane, known)
  return known
}

/** One row for every answer that has ended. */
export function runsOf(rounds: readonly Round[], prices: Prices): Run[] {
  return rounds.flatMap(({ startedAt, results }, index) =>
    ARCHITECTURES.flatMap(architecture => {
      const result = results[architecture]
      const measurement = result && measured(result.lane)
      if (!result || !measurement) return []
      const { lane, warmth } = result
      return [
        {
          round: index + 1,
          architecture,
          startedAt: startedAt.toISOString(),
          warmth,
          model: lane.model,
          measurement,
          costPerThousand: cost(architecture, lane, prices)?.perThousand,
        },
      ]
    }),
  )
}

/**
 * The answers of one architecture that count for its numbers: whole ones, and warm ones as soon as there is any, since
 * one cold start among three runs says more about the pause before them than about the architecture.
 */
function counted(rounds: readonly Round[], architecture: Architecture): Result[] {
  const done = rounds.flatMap(({ results }) => results[architecture] ?? []).filter(({ lane }) => lane.phase === 'done')
  const warm = done.filter(({ warmth }) => warmth === 'warm')
  return warm.length > 0 ? warm : done
}

/** The race as medians: what is shown side by side, and what a shared address holds. */
export function summary(rounds: readonly Round[], prices: Prices): SharedResult | undefined {
  const lanes: SharedResult['lanes'] = {}
  for (const architecture of ARCHITECTURES) {
    const results = counted(rounds, architecture)
    if (results.length > 0) lanes[architecture] = shareable(medians(architecture, results, prices))
  }
  const [first] = rounds
  if (!first || Object.keys(lanes).length === 0) return undefined
  return { day: first.startedAt.toISOString().slice(0, 10), lanes }
}

function medians(architecture: Architecture, results: readonly Result[], prices: Prices): SharedLane {
  const known = (read: (m: Measurement) => number | undefined) =>
    results.flatMap(({ lane }) => {
      const measurement = measured(lane)
      return (measurement && read(measurement)) ?? []
    })
  const costs = results.flatMap(({ lane }) => cost(architecture, lane, prices)?.perThousand ?? [])
  return {
    runs: results.length,
    connectMs: median(known(m => m.connectMs)),
    acceptedMs: median(known(m => m.acceptedMs)),
    firstTokenMs: median(known(m => m.firstTokenMs)),
    // The greatest of a few is no percentile worth its name, but it is what nearest rank says, and it is labelled so.
    firstTokenP95Ms:
      results.length > 1
        ? percentile(
            known(m => m.firstTokenMs),
            95,
          )
        : undefined,
    interTokenP50Ms: median(known(m => m.interTokenP50Ms)),
    interTokenP95Ms: median(known(m => m.interTokenP95Ms)),
    tokensPerSecond: median(known(m => m.tokensPerSecond)),
    totalMs: median(known(m => m.totalMs)),
    bytes: median(known(m => m.bytes)),
    messages: median(known(m => m.messages)),
    outputTokens: median(known(m => m.outputTokens)),
    costPerThousand: median(costs),
  }
}

/** The first tokens of first runs, which may have started cold; empty when none was left out of the medians. */
export function firstRuns(rounds: readonly Round[]): Partial<Record<Architecture, number>> {
  const found: Partial<Record<Architecture, number>> = {}
  for (const architecture of ARCHITECTURES) {
    const results = rounds.flatMap(({ results }) => results[architecture] ?? [])
    const first = results.find(({ warmth, lane }) => warmth === 'first' && lane.phase === 'done')
    const time = first && measured(first.lane)?.firstTokenMs
    if (time !== undefined && results.length > 1) found[architecture] = time
  }
  return found
}

/** Whose first token came soonest, and by how much. */
export function verdict({ lanes }: SharedResult) {
  return least(
    ARCHITECTURES.map(name => {
      const { firstTokenMs: value, firstTokenP95Ms: slow } = lanes[name] ?? {}
      return { name, value, slow }
    }),
  )
}
