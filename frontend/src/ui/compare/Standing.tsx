import { Fragment, useEffect } from 'react'
import type { SharedResult } from '../../measure/share'
import { announce } from '../announcer'
import { DESCRIPTIONS } from '../architectures'
import { milliseconds } from '../format'
import { verdict } from './outcome'

interface Props {
  /** Absent until a race is over. */
  result: SharedResult | undefined
  /** What to say without a winner. */
  otherwise: string
}

/** The result in one line. It keeps its place before, so that nothing moves when it comes. */
export function Standing({ result, otherwise }: Props) {
  const found = result && verdict(result)
  const rest = found && outcome(found, result)
  const says = found && `${list(found.leaders)} ${rest}`
  useEffect(() => {
    if (says) announce(says)
  }, [says])

  return (
    <p className="text-base leading-6">
      {found ? (
        <>
          {found.leaders.map((name, index) => (
            <Fragment key={name}>
              {joint(index, found.leaders.length)}
              <strong className={`font-mono font-semibold ${DESCRIPTIONS[name].text}`}>{name}</strong>
            </Fragment>
          ))}{' '}
          {rest}
        </>
      ) : (
        <span className="text-muted">{otherwise}</span>
      )}
    </p>
  )
}

function outcome(
  { leaders, value, spread, behind, overlapping }: NonNullable<ReturnType<typeof verdict>>,
  { lanes }: SharedResult,
): string {
  const [first, ...level] = leaders
  const overlap = (name: (typeof leaders)[number]) => overlapping.includes(name)
  const runs = lanes[first]?.runs ?? 1
  return [
    `${level.length > 0 ? 'are level' : 'was first'}: ${milliseconds(value)} to the first token`,
    ...(runs > 1 ? [`median of ${runs}`] : []),
    ...(level.length > 0 ? [`${milliseconds(spread)} apart${level.some(overlap) ? ' (runs overlap)' : ''}`] : []),
    ...behind.map(({ name, by, percent }) => {
      const share = `${percent.toFixed(percent < 1 ? 1 : 0)} %${overlap(name) ? ', runs overlap' : ''}`
      return `${milliseconds(by)} (${share}) before ${name}`
    }),
  ]
    .join(', ')
    .concat('.')
}

function list(names: readonly string[]): string {
  return names.map((name, index) => joint(index, names.length) + name).join('')
}

function joint(index: number, count: number): string {
  if (index === 0) return ''
  return index === count - 1 ? ' and ' : ', '
}
