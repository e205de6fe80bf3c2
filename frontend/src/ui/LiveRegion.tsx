import { useSyncExternalStore } from 'react'
import { announcements } from './announcer'

export function LiveRegion() {
  const said = useSyncExternalStore(announcements.subscribe, announcements.last)
  return (
    <p aria-live="polite" role="status" className="sr-only">
      {said}
    </p>
  )
}
