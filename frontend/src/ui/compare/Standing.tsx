import { useEffect } from 'react'
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
  const says = found && `${found.winner} ${rest(result)}`
  useEffect(() => {
    if (says) announce(says)
  }, [says])

  return (
    <p className="text-base leading-6">
      {found ? (
        <>
          <strong className={`font-mono font-semibold ${DESCRIPTIONS[found.winner].text}`}>{found.winner}</strong>{' '}
          {rest(result)}
        </>
      ) : (
        <span className="text-muted">{otherwise}</span>
      )}
    </p>
  )
}

function rest(result: SharedResult): string {
  const found = verdict(result)
  if (!found) return ''
  const runs = result.lanes[found.winner]?.runs ?? 1
  const behind = found.behind.map(
    ({ name, by, percent }) => `${milliseconds(by)} (${percent.toFixed(percent < 1 ? 1 : 0)} %) before ${name}`,
  )
  const how = runs > 1 ? `, median of ${runs}` : ''
  return `was first: ${milliseconds(found.value)} to the first token${how}, ${behind.join(', ')}.`
}
