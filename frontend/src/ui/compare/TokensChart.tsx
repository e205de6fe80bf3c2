import { useId } from 'react'
import type { Lane } from '../../lane/reducer'
import type { Architecture } from '../../transports/transport'
import { DESCRIPTIONS } from '../architectures'
import { count, seconds } from '../format'
import { useMedia } from '../useMedia'
import { axis, points } from './chart'

/** Drawn at about its real size, so that the words on the axes keep theirs. */
const SIZES = { wide: { width: 640, height: 350 }, narrow: { width: 330, height: 240 } }
const LEFT = 36
const BOTTOM = 26
const TOP = 10
const RIGHT = 8

interface Props {
  lanes: readonly { architecture: Architecture; lane: Lane }[]
}

/** Tokens received over time, one line a lane: where a line is flat the reader waits. */
export function TokensChart({ lanes }: Props) {
  const title = useId()
  const { width, height } = useMedia('(min-width: 40rem)') ? SIZES.wide : SIZES.narrow
  const lines = lanes.map(({ architecture, lane }) => ({ architecture, points: points(lane) }))
  const ends = lines.flatMap(line => line.points.at(-1) ?? [])
  const times = axis(Math.max(0, ...ends.map(end => end.at)), 1000)
  const counts = axis(Math.max(0, ...ends.map(end => end.tokens)), 10)
  const widest = times.ticks.at(-1) ?? 1
  const tallest = counts.ticks.at(-1) ?? 1
  const x = (at: number) => LEFT + ((width - LEFT - RIGHT) * at) / widest
  const y = (tokens: number) => height - BOTTOM - ((height - BOTTOM - TOP) * tokens) / tallest
  const says = lines
    .flatMap(({ architecture, points }) => {
      const end = points.at(-1)
      return end ? [`${architecture} ${count(Math.round(end.tokens))} tokens in ${seconds(end.at)}`] : []
    })
    .join(', ')

  return (
    <svg viewBox={`0 0 ${width} ${height}`} className="block h-auto w-full" role="img" aria-labelledby={title}>
      <title id={title}>{says ? `Tokens received over time: ${says}` : 'Tokens received over time: nothing yet'}</title>
      <g className="fill-muted stroke-line text-[11px]">
        {counts.ticks.map(tokens => (
          <g key={tokens}>
            <line x1={LEFT} x2={width - RIGHT} y1={y(tokens)} y2={y(tokens)} />
            <text x={LEFT - 8} y={y(tokens) + 4} textAnchor="end" stroke="none">
              {count(tokens)}
            </text>
          </g>
        ))}
        {times.ticks.map(at => (
          <text
            key={at}
            x={x(at)}
            y={height - 8}
            textAnchor={at === widest ? 'end' : at === 0 ? 'start' : 'middle'}
            stroke="none"
          >
            {(at / 1000).toFixed(times.step < 1000 ? 1 : 0)} s
          </text>
        ))}
      </g>
      {lines.map(({ architecture, points }) => (
        <polyline
          key={architecture}
          className={DESCRIPTIONS[architecture].stroke}
          fill="none"
          strokeWidth="2"
          strokeLinejoin="round"
          strokeDasharray={DESCRIPTIONS[architecture].dash}
          points={points.map(({ at, tokens }) => `${x(at).toFixed(1)},${y(tokens).toFixed(1)}`).join(' ')}
        />
      ))}
    </svg>
  )
}
