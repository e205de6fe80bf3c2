import { useMemo, useState, useSyncExternalStore } from 'react'
import type { Architecture } from '../../transports/transport'
import { announce } from '../announcer'
import { panelId, Tabs, tabId } from '../Tabs'
import { useMedia, WIDE } from '../useMedia'
import { ceiling } from './chart'
import { LaneCard, LaneTab } from './LaneCard'
import { summary } from './outcome'
import { elapsed } from './phase'
import { usePrices } from './prices-store'
import { RaceForm } from './RaceForm'
import { Results } from './Results'
import type { Race, Setup } from './race'
import { Standing } from './Standing'
import { WaterfallLegend } from './Waterfall'

interface Props {
  race: Race
  onSignIn: () => void
}

export function Compare({ race, onSignIn }: Props) {
  const state = useSyncExternalStore(race.subscribe, race.state)
  const [problem, setProblem] = useState<string>()
  const [selected, setSelected] = useState<Architecture>(race.architectures[0] ?? 'function-url')
  const wide = useMedia(WIDE)
  const scale = useScale(race)
  const [prices, setPrices] = usePrices()
  const result = useMemo(() => summary(state.rounds, prices), [state.rounds, prices])
  const running = state.phase === 'running' || state.phase === 'stopping'

  const attempt = (action: () => Promise<void>) => {
    setProblem(undefined)
    action().catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
  }
  const start = (setup: Setup) => {
    announce(setup.runs === 1 ? 'Race started' : `${setup.runs} races started`)
    attempt(() => race.start(setup))
  }

  return (
    <div className="flex flex-col gap-4">
      <h1 className="sr-only">Compare the architectures</h1>
      <RaceForm state={state} onStart={start} onStop={() => race.stop()} />
      {problem && (
        <p role="alert" className="border-l-2 border-bad pl-3 text-bad">
          {problem}
        </p>
      )}
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
        {/* As high as the longest sentence: nothing may move when the winner is known. */}
        <div className="min-h-30 grow basis-80 sm:min-h-12">
          <Standing
            result={state.phase === 'finished' ? result : undefined}
            otherwise={state.foundAgain ? FOUND_AGAIN : WITHOUT_WINNER[state.phase]}
          />
        </div>
        <WaterfallLegend />
      </div>
      {!wide && (
        <Tabs
          label="Architecture"
          tabs={race.architectures.map(id => ({
            id,
            content: <LaneTab architecture={id} store={race.lane(id)} />,
          }))}
          selected={selected}
          onSelect={setSelected}
          className="card flex p-1"
          tabClassName="grow basis-0 rounded-md py-1.5 aria-selected:bg-line/50"
        />
      )}
      <div className={wide ? 'grid auto-cols-fr grid-flow-col items-start gap-4' : ''}>
        {race.architectures.map(id => (
          <div
            key={id}
            className="min-w-0"
            {...(!wide && {
              role: 'tabpanel',
              id: panelId(id),
              'aria-labelledby': tabId(id),
              hidden: id !== selected,
            })}
          >
            <LaneCard
              architecture={id}
              store={race.lane(id)}
              scale={scale}
              prices={prices}
              onRetry={running ? undefined : () => attempt(() => race.retry(id))}
              onSignIn={onSignIn}
            />
          </div>
        ))}
      </div>
      <Results race={race} state={state} result={result} prices={prices} onPrices={setPrices} />
    </div>
  )
}

const WITHOUT_WINNER = {
  idle: 'The lanes start together. Times are taken where the bytes arrive, not where they are drawn.',
  running: 'Racing.',
  stopping: 'Stopping.',
  finished: 'No winner: fewer than two lanes have finished.',
} as const

const FOUND_AGAIN = 'Found again after a reload: such answers have no times to compare.'

/** One scale for the bars of all lanes, which grows in steps: bars that shrink with every token tell nothing. */
function useScale(race: Race): number {
  return useSyncExternalStore(race.subscribeLanes, () => {
    const longest = Math.max(0, ...race.architectures.map(id => elapsed(race.lane(id).shown())))
    return ceiling(longest, 500)
  })
}
