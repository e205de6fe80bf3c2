import { cleanup } from '@testing-library/react'
import { afterEach, beforeEach, vi } from 'vitest'

/** What jsdom lacks, and a window of a given width in pixels. */
export function withDocument(width = 1440) {
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
