import { useId } from 'react'
import type { Lane } from '../../lane/reducer'
import type { Architecture } from '../../transports/transport'
import { DESCRIPTIONS } from '../architectures'
import { count, seconds } from '../format'
import { useMedia } from '../useMedia'
import { ceiling, points } from './chart'

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
  const widest = ceiling(Math.max(0, ...ends.map(end => end.at)), 1000)
  const tallest = ceiling(Math.max(0, ...ends.map(end => end.tokens)), 10)
  const x = (at: number) => LEFT + ((width - LEFT - RIGHT) * at) / widest
  const y = (tokens: number) => height - BOTTOM - ((height - BOTTOM - TOP) * tokens) / tallest
  const steps = [0, 0.25, 0.5, 0.75, 1] as const
  const says = lines
    .flatMap(({ architecture, points }) => {
      const end = points.at(-1)
      return end ? [`${architecture} ${count(Math.round(end.tokens))} tokens in ${seconds(end.at)}`] : []
    })
    .join(', ')

  return (
    <svg viewBox={`0 0 ${width} ${height}`} className="block h-auto w-full" role="img" aria-labelledby={title}>
      <title id={title}>{says ? `Tokens received over time: ${says}` : 'Tokens received over time: nothing yet'}</title>
      {steps.map(step => (
        <g key={step} className="fill-muted stroke-line text-[11px]">
          <line x1={LEFT} x2={width - RIGHT} y1={y(tallest * step)} y2={y(tallest * step)} />
          <text x={LEFT - 8} y={y(tallest * step) + 4} textAnchor="end" stroke="none">
            {count(Math.round(tallest * step))}
          </text>
          <text
            x={x(widest * step)}
            y={height - 8}
            textAnchor={step === 1 ? 'end' : step === 0 ? 'start' : 'middle'}
            stroke="none"
          >
            {((widest * step) / 1000).toFixed(widest < 4000 ? 2 : 1)} s
          </text>
        </g>
      ))}
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
