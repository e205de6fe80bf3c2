import type { Lane } from '../lane/reducer'
import { percentile } from './statistics'

export type MeasuredOutcome = 'running' | 'done' | 'failed' | 'stopped'

/** The numbers of one answer. Times are milliseconds since the request was made; what is not known is undefined. */
export interface Measurement {
  /** Until the connection stood. */
  connectMs: number | undefined
  /** Until `start`: the model has accepted the request. */
  acceptedMs: number | undefined
  firstTokenMs: number | undefined
  /** Between two arrivals of text, each of which may carry several tokens. */
  interTokenP50Ms: number | undefined
  interTokenP95Ms: number | undefined
  /** Output tokens over the time between the first and the last text, as `probe` counts. */
  tokensPerSecond: number | undefined
  /** Until the terminal event, the failure or the stop. */
  totalMs: number | undefined
  bytes: number
  messages: number
  /** How often the answer was taken up again: the time that it took is in the others. */
  reconnects: number
  outputTokens: number
  /** The server has not said how many tokens there were: one for every four characters. */
  estimatedTokens: boolean
  gaps: number
  duplicates: number
  outcome: MeasuredOutcome
}

/** Holds for English; other languages have more tokens. */
export const CHARACTERS_PER_TOKEN = 4

export function measure(lane: Lane): Measurement {
  const since = (at: number | undefined) =>
    at === undefined || lane.startedAt === undefined ? undefined : at - lane.startedAt
  const { usage } = lane
  const outputTokens = usage?.output_tokens ?? Math.round(lane.text.length / CHARACTERS_PER_TOKEN)
  // What was read out of the log came as fast as that could be read.
  const arrivals = lane.foundAgain ? [] : lane.arrivals
  const pauses = arrivals.slice(1).map(({ at }, index) => at - (arrivals[index]?.at ?? at))
  const [first, last] = [arrivals[0], arrivals.at(-1)]
  const writing = first && last ? last.at - first.at : 0
  const { connectedAt, acceptedAt, firstTokenAt, endedAt }: Partial<Lane> = lane.foundAgain ? {} : lane
  return {
    connectMs: since(connectedAt),
    acceptedMs: since(acceptedAt),
    firstTokenMs: since(firstTokenAt),
    interTokenP50Ms: percentile(pauses, 50),
    interTokenP95Ms: percentile(pauses, 95),
    tokensPerSecond: writing > 0 ? (outputTokens * 1000) / writing : undefined,
    totalMs: since(endedAt),
    bytes: lane.bytes,
    messages: lane.messages,
    reconnects: lane.resumptions.length,
    outputTokens,
    estimatedTokens: usage === undefined,
    gaps: lane.gaps,
    duplicates: lane.duplicates,
    outcome: outcome(lane),
  }
}

function outcome({ phase }: Lane): MeasuredOutcome {
  return phase === 'done' || phase === 'failed' || phase === 'stopped' ? phase : 'running'
}

/**
 * Lambda keeps an idle environment for some minutes and tells nobody for how many, so a client cannot know whether a
 * start was cold. What it knows is whether this page has had an answer of the architecture recently: a first run may
 * have started cold, another one hardly.
 */
export type Warmth = 'first' | 'warm'

/** Without an answer for so long a run counts as a first one. */
export const PAUSE_MS = 5 * 60_000

/** `endedBefore` is when the architecture's last answer of this page ended. */
export function warmth(startedAt: number, endedBefore: number | undefined): Warmth {
  return endedBefore !== undefined && startedAt - endedBefore < PAUSE_MS ? 'warm' : 'first'
}
