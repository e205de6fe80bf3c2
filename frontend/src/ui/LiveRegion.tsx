import { useSyncExternalStore } from 'react'
import { announcements } from './announcer'

/** A log is read by what is added to it. */
export function LiveRegion() {
  const said = useSyncExternalStore(announcements.subscribe, announcements.latest)
  return (
    <div aria-live="polite" role="log" aria-label="Announcements" className="sr-only">
      {said.map(({ id, words }) => (
        <p key={id}>{words}</p>
      ))}
    </div>
  )
}
