import type { Architecture } from '../transports/transport'
import type { Measurement, Warmth } from './measurement'

/** One answer of a race. Holds neither prompt nor text. */
export interface Run {
  /** Counted from 1. */
  round: number
  architecture: Architecture
  /** ISO 8601. */
  startedAt: string
  warmth: Warmth
  model?: string | undefined
  measurement: Measurement
  costPerThousand?: number | undefined
}

const COLUMNS = [
  'round',
  'architecture',
  'started_at',
  'warmth',
  'model',
  'outcome',
  'connect_ms',
  'accepted_ms',
  'first_token_ms',
  'inter_token_p50_ms',
  'inter_token_p95_ms',
  'tokens_per_second',
  'total_ms',
  'output_tokens',
  'tokens_estimated',
  'bytes',
  'messages',
  'reconnects',
  'gaps',
  'duplicates',
  'usd_per_1000_answers',
] as const
type Column = (typeof COLUMNS)[number]
type Value = string | number | boolean | undefined

function row(run: Run): Record<Column, Value> {
  const { measurement: m } = run
  return {
    round: run.round,
    architecture: run.architecture,
    started_at: run.startedAt,
    warmth: run.warmth,
    model: run.model,
    outcome: m.outcome,
    connect_ms: tenths(m.connectMs),
    accepted_ms: tenths(m.acceptedMs),
    first_token_ms: tenths(m.firstTokenMs),
    inter_token_p50_ms: tenths(m.interTokenP50Ms),
    inter_token_p95_ms: tenths(m.interTokenP95Ms),
    tokens_per_second: tenths(m.tokensPerSecond),
    total_ms: tenths(m.totalMs),
    output_tokens: m.outputTokens,
    tokens_estimated: m.estimatedTokens,
    bytes: m.bytes,
    messages: m.messages,
    reconnects: m.reconnects,
    gaps: m.gaps,
    duplicates: m.duplicates,
    usd_per_1000_answers: run.costPerThousand === undefined ? undefined : Number(run.costPerThousand.toPrecision(4)),
  }
}

/** A table by RFC 4180: a line of names, CRLF, quotes where they are needed. What is not known is empty. */
export function toCsv(runs: readonly Run[]): string {
  const lines = [COLUMNS as readonly Value[], ...runs.map(run => COLUMNS.map(column => row(run)[column]))]
  return lines.map(line => `${line.map(field).join(',')}\r\n`).join('')
}

/** The same rows as JSON, for programs. What is not known is absent. */
export function toJson(runs: readonly Run[]): string {
  return `${JSON.stringify({ format: 'tristream-runs', version: 1, runs: runs.map(row) }, undefined, 2)}\n`
}

function field(value: Value): string {
  let text = value === undefined ? '' : String(value)
  // A spreadsheet takes these for the beginning of a formula.
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Clocks of browsers are not finer. */
function tenths(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 10) / 10
}
