import { type KeyboardEvent, type SubmitEvent, useState } from 'react'
import { Segments } from '../Segments'
import type { Order, RaceState, Setup } from './race'
import { STARTERS } from './starters'

const ORDERS = [
  { value: 'at-once', label: 'All at once' },
  { value: 'in-turn', label: 'In turn' },
] as const satisfies readonly { value: Order; label: string }[]
const RUNS = [1, 3, 10].map(value => ({ value, label: `${value}×` }))
const LENGTHS = [128, 512, 1024]

interface Props {
  state: RaceState
  onStart: (setup: Setup) => void
  onStop: () => void
}

export function RaceForm({ state, onStart, onStop }: Props) {
  // As it was when the form was last here, or before a reload.
  const former = state.setup
  const [prompt, setPrompt] = useState<string>(former?.prompt ?? STARTERS[0].prompt)
  const [order, setOrder] = useState<Order>(former?.order ?? 'at-once')
  const [runs, setRuns] = useState(former?.runs ?? 1)
  const [maxTokens, setMaxTokens] = useState(former?.maxTokens ?? 512)
  const running = state.phase === 'running' || state.phase === 'stopping'

  const start = () => {
    if (!running && prompt.trim() !== '') onStart({ prompt, order, runs, maxTokens })
  }
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    start()
  }
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      start()
    }
  }

  return (
    <form className="card p-4" onSubmit={submit}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-2 pb-2">
        <label htmlFor="prompt" className="font-medium">
          Prompt
        </label>
        <fieldset className="flex flex-wrap items-baseline gap-x-1 text-muted">
          <legend className="sr-only">Starter prompts</legend>
          {STARTERS.map(starter => (
            <button
              key={starter.name}
              type="button"
              className="rounded px-1.5 py-0.5 text-xs underline decoration-line underline-offset-4 hover:text-ink hover:decoration-edge"
              onClick={() => setPrompt(starter.prompt)}
            >
              {starter.name}
            </button>
          ))}
        </fieldset>
      </div>
      <textarea
        id="prompt"
        className="field block min-h-16 resize-y"
        rows={2}
        value={prompt}
        maxLength={16_000}
        onChange={event => setPrompt(event.target.value)}
        onKeyDown={key}
      />
      <div className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <Segments label="Order" options={ORDERS} value={order} onChange={setOrder} disabled={running} />
        <Segments label="Runs" options={RUNS} value={runs} onChange={setRuns} disabled={running} />
        <label className="flex items-center gap-2 text-muted">
          at most
          <select
            className="h-8 rounded-md border border-line bg-surface px-2 text-ink"
            value={maxTokens}
            disabled={running}
            onChange={event => setMaxTokens(Number(event.target.value))}
          >
            {LENGTHS.map(length => (
              <option key={length} value={length}>
                {length}
              </option>
            ))}
          </select>
          tokens
        </label>
        <div className="ml-auto flex items-center gap-3">
          {running && state.setup && state.setup.runs > 1 && (
            <span className="text-muted">{`run ${Math.min(state.rounds.length + 1, state.setup.runs)} of ${state.setup.runs}`}</span>
          )}
          {/* One place for both, so that nothing moves under the pointer. Two keys: one element that became the
              submit button while its click is still going on would submit the form and start the next race. */}
          {running ? (
            <button key="stop" type="button" className="button w-24" onClick={onStop}>
              {state.phase === 'stopping' ? 'Stop now' : 'Stop all'}
            </button>
          ) : (
            <button
              key="run"
              type="submit"
              className="button-primary w-24"
              disabled={prompt.trim() === ''}
              title="Ctrl or ⌘ and Enter"
            >
              Run
            </button>
          )}
        </div>
      </div>
    </form>
  )
}
