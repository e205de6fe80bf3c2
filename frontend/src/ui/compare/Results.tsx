import { useSyncExternalStore } from 'react'
import { toCsv, toJson } from '../../measure/export'
import type { Prices } from '../../measure/prices'
import { type SharedResult, toFragment } from '../../measure/share'
import { DESCRIPTIONS } from '../architectures'
import { CopyButton } from '../CopyButton'
import { download } from './download'
import { firstRuns, runsOf } from './outcome'
import { PriceEditor } from './PriceEditor'
import { ResultTable } from './ResultTable'
import type { Race, RaceState } from './race'
import { TokensChart } from './TokensChart'

interface Props {
  race: Race
  state: RaceState
  result: SharedResult | undefined
  prices: Prices
  onPrices: (prices: Prices) => void
}

export function Results({ race, state, result, prices, onPrices }: Props) {
  const runs = runsOf(state.rounds, prices)
  const counted = Math.max(0, ...Object.values(result?.lanes ?? {}).map(lane => lane.runs))

  return (
    <>
      <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
        <section className="card p-4" aria-labelledby="over-time">
          <div className="mb-3 flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
            <h2 id="over-time" className="font-semibold">
              Tokens over time
            </h2>
            <ChartLegend architectures={race.architectures} />
          </div>
          <LiveChart race={race} />
        </section>

        <section className="card p-4" aria-labelledby="side-by-side">
          <div className="mb-2 flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
            <h2 id="side-by-side" className="font-semibold">
              Side by side{' '}
              {counted > 1 && <span className="font-normal text-muted">{`median of ${counted} warm runs`}</span>}
            </h2>
            <div className="-mr-2 flex">
              <button
                type="button"
                className="button-quiet"
                disabled={runs.length === 0}
                onClick={() => download('tristream.csv', 'text/csv', toCsv(runs))}
              >
                CSV
              </button>
              <button
                type="button"
                className="button-quiet"
                disabled={runs.length === 0}
                onClick={() => download('tristream.json', 'application/json', toJson(runs))}
              >
                JSON
              </button>
              <CopyButton label="Copy link" text={() => address(result)} disabled={!result} />
            </div>
          </div>
          <ResultTable architectures={race.architectures} lanes={result?.lanes ?? {}} first={firstRuns(state.rounds)} />
          <p className="label mt-3">The link holds these numbers, never the prompt or an answer.</p>
        </section>
      </div>
      <PriceEditor prices={prices} onChange={onPrices} />
    </>
  )
}

function address(result: SharedResult | undefined): string {
  const url = new URL(location.href)
  url.hash = result ? toFragment(result) : ''
  return url.href
}

function LiveChart({ race }: Pick<Props, 'race'>) {
  const lanes = useSyncExternalStore(race.subscribeLanes, race.lanesShown)
  return <TokensChart lanes={lanes} />
}

function ChartLegend({ architectures }: Pick<Race, 'architectures'>) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 font-mono text-xs" aria-label="Lines">
      {architectures.map(id => (
        <li key={id} className="flex items-center gap-1.5">
          <svg width="22" height="8" aria-hidden="true" className={DESCRIPTIONS[id].stroke}>
            <line x1="0" x2="22" y1="4" y2="4" strokeWidth="2" strokeDasharray={DESCRIPTIONS[id].dash} />
          </svg>
          {id}
        </li>
      ))}
    </ul>
  )
}
