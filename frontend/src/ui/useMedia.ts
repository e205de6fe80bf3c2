import { useCallback, useSyncExternalStore } from 'react'

/** Whether lanes fit side by side; the same breakpoint as Tailwind's `lg`. */
export const WIDE = '(min-width: 64rem)'

export function useMedia(query: string): boolean {
  // The same function for the same query: another one would subscribe anew with every frame of a race.
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = matchMedia(query)
      list.addEventListener('change', listener)
      return () => list.removeEventListener('change', listener)
    },
    [query],
  )
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches)
}
