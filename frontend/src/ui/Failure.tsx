import { LOST, WHAT_TO_DO } from '../contract/error-code'
import type { Lane } from '../lane/reducer'

interface Props {
  failure: NonNullable<Lane['failure']>
  onRetry?: (() => void) | undefined
  onSignIn?: (() => void) | undefined
}

/** What went wrong, where, and what to do about it. */
export function Failure({ failure, onRetry, onSignIn }: Props) {
  const { phase, code, message, unexplained, lost } = failure
  return (
    <div className="border-l-2 border-bad py-0.5 pl-3">
      <p className="font-mono text-xs text-bad">
        {code} <span className="text-muted">while {DOING[phase]}</span>
      </p>
      <p className="mt-1">{message}</p>
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
