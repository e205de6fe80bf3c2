import { useState, useSyncExternalStore } from 'react'
import { fromFragment } from '../measure/share'
import { ARCHITECTURES } from '../transports/transport'
import { ResultTable } from './compare/ResultTable'
import { Standing } from './compare/Standing'

function subscribe(listener: () => void) {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

/** A result that came with the address, for whoever opens it: signed in or not. */
export function SharedResult() {
  const fragment = useSyncExternalStore(subscribe, () => location.hash)
  const [closed, setClosed] = useState('')
  const result = fromFragment(fragment)
  if (!result || closed === fragment) return null
  const runs = Math.max(...Object.values(result.lanes).map(lane => lane.runs))

  const close = () => {
    setClosed(fragment)
    history.replaceState(undefined, '', location.pathname + location.search)
  }

  return (
    <section aria-labelledby="shared" className="border-b border-line bg-surface">
      <div className="mx-auto flex max-w-3xl flex-col gap-3 px-4 py-5">
        <div className="flex items-baseline justify-between gap-4">
          <h2 id="shared" className="text-lg font-semibold">
            A shared result{' '}
            <span className="text-sm font-normal text-muted">
              {`measured on ${result.day}, ${runs === 1 ? 'one run' : `median of ${runs} runs`}`}
            </span>
          </h2>
          <button type="button" className="button" onClick={close}>
            Close
          </button>
        </div>
        <Standing result={result} otherwise="" />
        <ResultTable architectures={ARCHITECTURES.filter(id => result.lanes[id])} lanes={result.lanes} />
      </div>
    </section>
  )
}
