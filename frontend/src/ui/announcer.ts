/** What the one polite live region says: phases and results, never the tokens, which would drown everything else. */
let said = ''
const listeners = new Set<() => void>()

export function announce(words: string) {
  said = words
  for (const listener of listeners) listener()
}

export const announcements = {
  subscribe: (listener: () => void) => {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  },
  last: () => said,
}
