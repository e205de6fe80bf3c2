/** What the one polite live region says: phases and results, never the tokens, which would drown everything else. */
export interface Announcement {
  id: number
  words: string
}

/** So many lines stay: three lanes and the result come within a frame, and none may push another out unheard. */
const KEPT = 8

let said: readonly Announcement[] = []
let last = 0
const listeners = new Set<() => void>()

export function announce(words: string) {
  said = [...said, { id: ++last, words }].slice(-KEPT)
  for (const listener of listeners) listener()
}

export const announcements = {
  subscribe: (listener: () => void) => {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  },
  latest: () => said,
}
