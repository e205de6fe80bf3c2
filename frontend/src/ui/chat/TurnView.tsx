import { memo, useEffect, useSyncExternalStore } from 'react'
import { DESCRIPTIONS } from '../architectures'
import { CopyButton } from '../CopyButton'
import { measured } from '../compare/outcome'
import { active, phaseName, waitsFor } from '../compare/phase'
import { Failure } from '../Failure'
import { milliseconds, rate, seconds } from '../format'
import { CutShort, LaneMarks } from '../LaneNotes'
import { Answer } from '../markdown/Answer'
import { useSpokenPhase } from '../useSpokenPhase'
import type { Turn } from './conversation'

interface Props {
  turn: Turn
  /** Only the last answer can be made anew, and only while nothing runs. */
  onRegenerate?: (() => void) | undefined
  onSignIn: () => void
  /** Called after every frame in which the answer has grown. */
  onGrown: () => void
}

export const TurnView = memo(function TurnView({ turn, onRegenerate, onSignIn, onGrown }: Props) {
  const lane = useSyncExternalStore(turn.answer.subscribe, turn.answer.shown)
  const running = active(lane)
  const numbers = measured(lane)
  const { background } = DESCRIPTIONS[turn.architecture]

  // biome-ignore lint/correctness/useExhaustiveDependencies: a lane that has changed is the reason to call
  useEffect(onGrown, [lane])
  useSpokenPhase(turn.architecture, lane)

  return (
    <article className="flex flex-col gap-4" aria-label="Question and answer" aria-busy={running}>
      <div className="ml-auto max-w-[85%] rounded-lg border border-line bg-surface px-4 py-2.5 leading-relaxed break-words whitespace-pre-wrap">
        <span className="sr-only">You: </span>
        {turn.prompt}
      </div>
      <div className="min-h-16">
        {lane.text !== '' && <Answer text={lane.text} complete={!running} />}
        {lane.text === '' && running && <p className="text-muted">{waitsFor(lane)}</p>}
        {lane.text === '' && lane.phase === 'stopped' && <p className="text-muted">Stopped before the first token.</p>}
        {lane.failure && (
          <div className={lane.text ? 'mt-3' : ''}>
            <Failure failure={lane.failure} onRetry={onRegenerate} onSignIn={onSignIn} />
          </div>
        )}
        <CutShort lane={lane} />
        <div className="mt-2 flex min-h-8 flex-wrap items-center gap-x-4 gap-y-1">
          <p className="label flex flex-wrap items-center gap-x-3">
            <span className="flex items-center gap-1.5 font-mono">
              <span className={`size-2 rounded-[2px] ${background}`} aria-hidden="true" />
              {turn.architecture}
            </span>
            {numbers?.firstTokenMs !== undefined && <span>first token {milliseconds(numbers.firstTokenMs)}</span>}
            {!running && numbers?.totalMs !== undefined && <span>total {seconds(numbers.totalMs)}</span>}
            {!running && numbers?.tokensPerSecond !== undefined && (
              <span>{rate(numbers.tokensPerSecond)} tokens/s</span>
            )}
            {running && (lane.stopping || lane.droppedAt !== undefined) && <span>{phaseName(lane)}</span>}
            {lane.phase === 'stopped' && <span>stopped</span>}
            <LaneMarks lane={lane} />
          </p>
          {!running && lane.phase !== 'idle' && (
            <div className="ml-auto flex">
              <CopyButton label="Copy" text={() => turn.answer.current().text} disabled={lane.text === ''} />
              {onRegenerate && !lane.failure && (
                <button type="button" className="button-quiet" onClick={onRegenerate}>
                  Regenerate
                </button>
              )}
            </div>
          )}
        </div>
      </div>
    </article>
  )
})
