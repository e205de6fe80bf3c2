import { Fragment, useState } from 'react'
import type { Lane } from '../../lane/reducer'
import type { Architecture } from '../../transports/transport'
import { count } from '../format'
import { behind } from '../LaneNotes'

interface Props {
  architecture: Architecture
  lane: Lane
}

/** The events as they came, with the times of the transport. */
export function Inspector({ architecture, lane }: Props) {
  const [open, setOpen] = useState(false)
  return (
    <details className="border-t border-line" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary className="px-4 py-2.5 text-muted hover:text-ink">
        Raw events <span className="label">{lane.messages > 0 && count(lane.messages)}</span>
      </summary>
      {/* Hundreds of rows are not drawn for a reader who has not asked for them. */}
      {open && <Events architecture={architecture} lane={lane} />}
    </details>
  )
}

function Events({ architecture, lane }: Props) {
  if (lane.events.length === 0) return <p className="label px-4 pb-3">No events yet.</p>
  const since = (at: number) => (at - (lane.startedAt ?? at)).toFixed(1)
  const marks = lane.resumptions.map(mark => ({ ...mark, before: lane.events.findIndex(({ at }) => at >= mark.at) }))
  return (
    <section
      // A region that scrolls must be reachable by keyboard.
      // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
      tabIndex={0}
      aria-label={`Raw events of ${architecture}`}
      className="h-64 overflow-auto border-t border-line bg-sunken font-mono text-xs"
    >
      <table className="w-full">
        <thead className="sticky top-0 bg-sunken text-left text-muted">
          <tr>
            <th className="px-4 py-1.5 font-normal">ms</th>
            <th className="px-2 py-1.5 font-normal">bytes</th>
            <th className="px-2 py-1.5 font-normal">event</th>
          </tr>
        </thead>
        <tbody>
          {lane.events.map(({ at, bytes, event }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: events are only ever appended
            <Fragment key={index}>
              {marks
                .filter(({ before }) => before === index)
                .map(({ at, after }) => (
                  <tr key={at} className="text-muted">
                    <td className="px-4 py-0.5 text-right">{since(at)}</td>
                    <td />
                    <td className="px-2 py-0.5">resumed {behind(after)}</td>
                  </tr>
                ))}
              <tr className="align-top">
                <td className="px-4 py-0.5 text-right">{since(at)}</td>
                <td className="px-2 py-0.5 text-right text-muted">{bytes}</td>
                <td className="px-2 py-0.5 whitespace-pre">{JSON.stringify(event)}</td>
              </tr>
            </Fragment>
          ))}
        </tbody>
      </table>
    </section>
  )
}
