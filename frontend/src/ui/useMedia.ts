import { useSyncExternalStore } from 'react'

/** Whether lanes fit side by side; the same breakpoint as Tailwind's `lg`. */
export const WIDE = '(min-width: 64rem)'

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    listener => {
      const list = matchMedia(query)
      list.addEventListener('change', listener)
      return () => list.removeEventListener('change', listener)
    },
    () => matchMedia(query).matches,
  )
}
