import { useEffect, useState } from 'react'
import { LOST, WHAT_TO_DO } from '../contract/error-code'
import type { Lane } from '../lane/reducer'
import { duration } from './format'

interface Props {
  failure: NonNullable<Lane['failure']>
  onRetry?: (() => void) | undefined
  onSignIn?: (() => void) | undefined
}

/** What went wrong, where, and what to do about it. */
export function Failure({ failure, onRetry, onSignIn }: Props) {
  const { phase, code, message, unexplained, lost, retryAt } = failure
  return (
    <div className="border-l-2 border-bad py-0.5 pl-3">
      <p className="font-mono text-xs text-bad">
        {code} <span className="text-muted">while {DOING[phase]}</span>
      </p>
      <p className="mt-1">{message}</p>
      {retryAt !== undefined && <Wait until={retryAt} />}
      <p className="mt-1 text-muted">{lost ? LOST : WHAT_TO_DO[code]}</p>
      <div className="mt-2 flex gap-2">
        {(code === 'unauthorized' || unexplained) && onSignIn && (
          <button type="button" className="button" onClick={onSignIn}>
            Sign in again
          </button>
        )}
        {onRetry && (
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        )}
      </div>
    </div>
  )
}

const DOING = { connect: 'connecting', request: 'sending the request', stream: 'streaming' } as const

/** Until a time of `performance.now()`. */
function Wait({ until }: { until: number }) {
  const [now, setNow] = useState(() => performance.now())
  const left = Math.ceil((until - now) / 1000)
  const over = left <= 0
  useEffect(() => {
    if (over) return
    const timer = setInterval(() => setNow(performance.now()), 1000)
    return () => clearInterval(timer)
  }, [over])
  return <p className="mt-1">{over ? 'It may be tried again now.' : `Try again in ${duration(left)}.`}</p>
}
