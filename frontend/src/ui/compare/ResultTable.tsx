import type { SharedLane, SharedResult } from '../../measure/share'
import { level } from '../../measure/standing'
import type { Architecture } from '../../transports/transport'
import { DESCRIPTIONS } from '../architectures'
import { bytes, count, dollars, milliseconds, rate, seconds, UNKNOWN } from '../format'

interface Row {
  label: string
  value: (lane: SharedLane) => number | undefined
  format: (value: number | undefined) => string
  /** Which end of the scale is the good one; neither where a number only describes. */
  best?: 'least' | 'most'
  /** Whether two values are as good as each other; without it when they read the same. */
  same?: (a: number, b: number) => boolean
  repeated?: boolean
}

const NOTHING: SharedLane = { runs: 0 }

const ROWS: Row[] = [
  { label: 'connected', value: lane => lane.connectMs, format: milliseconds, best: 'least', same: level },
  { label: 'accepted', value: lane => lane.acceptedMs, format: milliseconds, best: 'least', same: level },
  { label: 'first token', value: lane => lane.firstTokenMs, format: milliseconds, best: 'least', same: level },
  { label: 'first token, p95', value: lane => lane.firstTokenP95Ms, format: milliseconds, repeated: true },
  { label: 'between tokens, p50', value: lane => lane.interTokenP50Ms, format: milliseconds },
  { label: 'between tokens, p95', value: lane => lane.interTokenP95Ms, format: milliseconds },
  { label: 'tokens/s', value: lane => lane.tokensPerSecond, format: rate, best: 'most', same: levelRates },
  { label: 'total', value: lane => lane.totalMs, format: seconds, best: 'least', same: level },
  { label: 'messages', value: lane => lane.messages, format: count, best: 'least' },
  { label: 'received', value: lane => lane.bytes, format: bytes, best: 'least' },
  { label: 'per 1,000 answers', value: lane => lane.costPerThousand, format: dollars, best: 'least' },
]

interface Props {
  /** Which columns there are; each may still be without numbers. */
  architectures: readonly Architecture[]
  lanes: SharedResult['lanes']
  /** First tokens of runs that may have started cold, and are not in the medians. */
  first?: Partial<Record<Architecture, number>>
}

/** The lanes side by side; the best of each row stands out by weight, not by colour alone. */
export function ResultTable({ architectures, lanes: known, first = {} }: Props) {
  const lanes = architectures.map(id => ({ id, lane: known[id] ?? NOTHING }))
  // Only repeated runs have it. All other rows are there from the beginning, so that the table does not grow.
  const rows = ROWS.filter(row => !row.repeated || lanes.some(({ lane }) => row.value(lane) !== undefined))

  return (
    <section
      aria-label="Numbers of each architecture"
      // A region that scrolls must be reachable by keyboard.
      // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
      tabIndex={0}
      className="overflow-x-auto"
    >
      <table className="w-full text-[0.8125rem] sm:text-sm">
        <thead>
          <tr className="border-b border-line">
            <th className="py-1.5 text-left font-normal">
              <span className="sr-only">Number</span>
            </th>
            {lanes.map(({ id }) => (
              <th
                key={id}
                className="py-1.5 pl-2 sm:pl-3 text-right align-bottom font-mono text-xs font-semibold sm:whitespace-nowrap"
              >
                <span className={DESCRIPTIONS[id].text}>{id}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => {
            const best = bestOf(
              row,
              lanes.map(({ lane }) => lane),
            )
            return (
              <tr key={row.label} className="border-b border-line last:border-0">
                <th className="label py-1 text-left font-normal sm:whitespace-nowrap">{row.label}</th>
                {lanes.map(({ id, lane }) => {
                  const value = row.value(lane)
                  return <Cell key={id} text={row.format(value)} best={value !== undefined && best.includes(value)} />
                })}
              </tr>
            )
          })}
          {Object.keys(first).length > 0 && (
            <tr>
              <th className="label py-1 text-left font-normal sm:whitespace-nowrap">first token, first run</th>
              {lanes.map(({ id }) => (
                <Cell key={id} text={milliseconds(first[id])} best={false} />
              ))}
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}

function Cell({ text, best }: { text: string; best: boolean }) {
  const look = best ? 'font-semibold' : text === UNKNOWN ? 'text-edge' : 'text-muted'
  return (
    <td className={`py-1 pl-2 sm:pl-3 text-right whitespace-nowrap ${look}`}>
      {text}
      {best && <span className="sr-only"> (best)</span>}
    </td>
  )
}

/** The values that are as good as the best. None is best where all are, or only one is known. */
function bestOf({ best, value, format, same }: Row, lanes: SharedLane[]): number[] {
  const known = lanes.flatMap(lane => value(lane) ?? [])
  if (!best || known.length < 2) return []
  const found = best === 'least' ? Math.min(...known) : Math.max(...known)
  const good = known.filter(other => (same ? same(found, other) : format(found) === format(other)))
  return good.length < known.length ? good : []
}

/** They come from times, and are as uncertain. */
function levelRates(a: number, b: number): boolean {
  return level(a, b, 0)
}
