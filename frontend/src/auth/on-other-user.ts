import type { Account } from './account'

/**
 * Calls `forget` when what is on the screen belongs to somebody else: after signing out, and when another user signs
 * in. An expired session alone forgets nothing, since the same person is about to go on.
 */
export function onOtherUser(account: Account, forget: () => void) {
  let last: string | undefined
  return account.subscribe(() => {
    const state = account.state()
    if (state.phase === 'signed-out' && state.notice === undefined) {
      last = undefined
      forget()
    }
    if (state.phase === 'signed-in') {
      if (last !== undefined && last !== state.username) forget()
      last = state.username
    }
  })
}
