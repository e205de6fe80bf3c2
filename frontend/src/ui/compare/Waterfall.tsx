import type { Lane } from '../../lane/reducer'
import type { Architecture } from '../../transports/transport'
import { DESCRIPTIONS } from '../architectures'
import { milliseconds } from '../format'
import { elapsed } from './phase'

const PARTS = [
  { name: 'connect', opacity: 0.25 },
  { name: 'accept', opacity: 0.45 },
  { name: 'first token', opacity: 0.65 },
  { name: 'stream', opacity: 1 },
] as const

type Part = (typeof PARTS)[number]['name']

/** What a lane has spent its time on so far, in the order that it happened. */
function segments(lane: Lane): { name: Part; opacity: number; from: number; to: number }[] {
  const { startedAt } = lane
  if (startedAt === undefined || lane.foundAgain) return []
  const end = startedAt + elapsed(lane)
  const marks = [lane.connectedAt, lane.acceptedAt, lane.firstTokenAt]
  // A lane that ended early has spent the rest waiting for the mark that it missed: it has not streamed.
  // One that was refused had a connection, even if nobody knows since when.
  const least = lane.failure && lane.failure.phase !== 'connect' ? 1 : 0
  const last = Math.max(least, marks.findLastIndex(mark => mark !== undefined) + 1)
  let from = startedAt
  return PARTS.flatMap(({ name, opacity }, index) => {
    const mark = index === last ? end : marks[index]
    if (mark === undefined || mark <= from) return []
    const segment = { name, opacity, from: from - startedAt, to: mark - startedAt }
    from = mark
    return [segment]
  })
}

interface Props {
  architecture: Architecture
  lane: Lane
  /** Milliseconds that the whole width stands for: the same in every lane. */
  scale: number
}

export function Waterfall({ architecture, lane, scale }: Props) {
  const parts = segments(lane)
  const percent = (value: number) => `${((100 * value) / scale).toFixed(3)}%`
  const says = parts.map(({ name, from, to }) => `${name} ${milliseconds(to - from)}`).join(', ')
  return (
    <svg
      className={`block h-2 w-full overflow-hidden rounded-sm bg-sunken ${DESCRIPTIONS[architecture].fill}`}
      role="img"
      aria-label={says ? `Time spent: ${says}` : lane.foundAgain ? 'No times are known' : 'No time spent yet'}
    >
      {parts.map(({ name, opacity, from, to }) => (
        <rect key={name} x={percent(from)} width={percent(to - from)} height="100%" fillOpacity={opacity}>
          <title>{`${name}: ${milliseconds(to - from)}`}</title>
        </rect>
      ))}
    </svg>
  )
}

export function WaterfallLegend() {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs leading-6 text-muted" aria-label="Parts of the bars">
      {PARTS.map(({ name, opacity }) => (
        <li key={name} className="flex items-center gap-1.5">
          <svg width="10" height="8" aria-hidden="true" className="fill-ink">
            <rect width="10" height="8" rx="1" fillOpacity={opacity} />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  )
}
