import { cleanup, configure } from '@testing-library/react'
import { afterEach, beforeEach, vi } from 'vitest'

/** What jsdom lacks, and a window of a given width in pixels. */
export function withDocument(width = 1440) {
  // Its second is too short on a busy machine.
  configure({ asyncUtilTimeout: 10_000 })
  beforeEach(() => {
    vi.stubGlobal('matchMedia', (query: string) => ({
      matches: width / 16 >= Number(/([\d.]+)rem/.exec(query)?.[1] ?? 0),
      addEventListener: () => {},
      removeEventListener: () => {},
    }))
  })
  afterEach(() => {
    cleanup()
    localStorage.clear()
    vi.unstubAllGlobals()
  })
}
