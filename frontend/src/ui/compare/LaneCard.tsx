import { useRef, useSyncExternalStore } from 'react'
import type { Lane } from '../../lane/reducer'
import { cost } from '../../measure/cost'
import type { Prices } from '../../measure/prices'
import type { Architecture } from '../../transports/transport'
import { DESCRIPTIONS } from '../architectures'
import { CopyButton } from '../CopyButton'
import { Failure } from '../Failure'
import { milliseconds, seconds } from '../format'
import { CutShort, LaneMarks } from '../LaneNotes'
import type { LaneStore } from '../lane-store'
import { Answer } from '../markdown/Answer'
import { useFollow } from '../useFollow'
import { useSpokenPhase } from '../useSpokenPhase'
import { Inspector } from './Inspector'
import { KeyNumbers, MoreNumbers } from './Numbers'
import { measured } from './outcome'
import { active, PHASES, phaseName, waitsFor } from './phase'
import { Waterfall } from './Waterfall'

interface Props {
  architecture: Architecture
  store: LaneStore
  scale: number
  prices: Prices
  /** Absent while a race is on. */
  onRetry?: (() => void) | undefined
  onSignIn: () => void
}

export function LaneCard({ architecture, store, scale, prices, onRetry, onSignIn }: Props) {
  const lane = useSyncExternalStore(store.subscribe, store.shown)
  const measurement = measured(lane)
  const answer = useRef<HTMLDivElement>(null)
  const { onScroll } = useFollow(answer, lane)
  const { is, background } = DESCRIPTIONS[architecture]
  const running = active(lane)

  useSpokenPhase(architecture, lane)

  return (
    <article className="card @container flex h-full flex-col" aria-label={architecture} aria-busy={running}>
      <div className="flex flex-col gap-3 border-b border-line p-4">
        <div>
          <div className="flex items-baseline justify-between gap-2">
            <h2 className="flex items-center gap-2 font-mono font-semibold">
              <span className={`size-2.5 rounded-[2px] ${background}`} aria-hidden="true" />
              {architecture}
            </h2>
            <Phase lane={lane} />
          </div>
          <p className="label mt-1">{is}</p>
        </div>
        <Waterfall architecture={architecture} lane={lane} scale={scale} />
        <KeyNumbers measurement={measurement} />
      </div>

      <section
        ref={answer}
        onScroll={onScroll}
        aria-label={`Answer of ${architecture}`}
        // A region that scrolls must be reachable by keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        className="h-72 overflow-y-auto overscroll-contain p-4 focus-visible:-outline-offset-2"
      >
        {lane.failure && (
          <div className={lane.text ? 'mb-3' : ''}>
            <Failure failure={lane.failure} onRetry={onRetry} onSignIn={onSignIn} />
          </div>
        )}
        {lane.text ? (
          <Answer text={lane.text} complete={!running} />
        ) : (
          !lane.failure && <p className="text-muted">{empty(lane)}</p>
        )}
        <CutShort lane={lane} />
      </section>

      <div className="flex flex-col gap-3 border-t border-line p-4">
        <MoreNumbers measurement={measurement} costPerThousand={cost(architecture, lane, prices)?.perThousand} />
        {(lane.foundAgain || lane.resumptions.length > 0) && (
          <p className="label flex flex-wrap gap-x-3">
            <LaneMarks lane={lane} />
          </p>
        )}
        <div className="-mx-2 flex items-center">
          {running ? (
            <button type="button" className="button-quiet" onClick={() => store.stop()}>
              {lane.stopping ? 'Stop now' : 'Stop'}
            </button>
          ) : (
            <button
              type="button"
              className="button-quiet"
              disabled={!onRetry || lane.phase === 'idle'}
              onClick={onRetry}
            >
              Run again
            </button>
          )}
          <CopyButton label="Copy" text={() => store.current().text} disabled={lane.text === ''} />
        </div>
      </div>
      <Inspector architecture={architecture} lane={lane} />
    </article>
  )
}

function empty(lane: Lane): string {
  if (active(lane)) return waitsFor(lane)
  if (lane.phase === 'done') return 'The model has answered with no text.'
  return lane.phase === 'stopped' ? 'Stopped before the first token.' : 'The answer appears here as it arrives.'
}

function Phase({ lane }: { lane: Lane }) {
  const colours: Partial<Record<Lane['phase'], string>> = {
    done: 'text-good',
    failed: 'text-bad',
    idle: 'text-muted',
    stopped: 'text-muted',
  }
  return (
    <span className={`text-xs font-medium whitespace-nowrap ${colours[lane.phase] ?? 'text-ink'}`}>
      {phaseName(lane)}
    </span>
  )
}

/** The same lane, short enough for a tab. */
export function LaneTab({ architecture, store }: Pick<Props, 'architecture' | 'store'>) {
  const lane = useSyncExternalStore(store.subscribe, store.shown)
  const measurement = measured(lane)
  const number = lane.phase === 'done' ? seconds(measurement?.totalMs) : milliseconds(measurement?.firstTokenMs)
  return (
    <>
      <span className="flex items-center justify-center gap-1.5 font-mono text-xs">
        <span className={`size-2 rounded-[2px] ${DESCRIPTIONS[architecture].background}`} aria-hidden="true" />
        {architecture}
      </span>
      <span className={`block text-xs ${lane.phase === 'failed' ? 'text-bad' : 'text-muted'}`}>
        {active(lane) || lane.phase === 'done' ? number : PHASES[lane.phase]}
      </span>
    </>
  )
}
