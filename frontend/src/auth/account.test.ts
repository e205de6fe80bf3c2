import { expect, test, vi } from 'vitest'
import { Account, SessionExpired } from './account'
import type { Cognito, SignedIn } from './cognito'
import { onOtherUser } from './on-other-user'

const SIGNED_IN: SignedIn = { accessToken: 'token', username: 'ada', owner: 'sub' }

function cognito(over: Partial<Cognito> = {}): Cognito {
  return {
    signIn: async () => 'done',
    choosePassword: async () => 'done',
    session: async () => SIGNED_IN,
    signOut: vi.fn(async () => undefined),
    ...over,
  }
}

function refusal(name: string) {
  return Object.assign(new Error('the service’s own words'), { name })
}

test('a reload keeps the session of its tab', async () => {
  const account = new Account(cognito())
  expect(account.state()).toEqual({ phase: 'restoring' })
  await account.restore()
  expect(account.state()).toEqual({ phase: 'signed-in', username: 'ada' })
})

test.each(['NotAuthorizedException', 'UserNotFoundException'])(
  '%s does not tell which of the two was wrong',
  async name => {
    const account = new Account(cognito({ signIn: () => Promise.reject(refusal(name)) }))
    await expect(account.signIn('ada', 'wrong')).rejects.toThrow('The user name or the password is not right.')
  },
)

test('a first sign-in asks for a password of one’s own before it is done', async () => {
  const account = new Account(cognito({ signIn: async () => 'new-password' }))
  await account.signIn('ada', 'given')
  expect(account.state()).toEqual({ phase: 'new-password' })
  await account.choosePassword('chosen')
  expect(account.state()).toEqual({ phase: 'signed-in', username: 'ada' })
})

test('an expired session goes back to signing in, with a sentence, and gives nobody a token', async () => {
  let current: SignedIn | undefined = SIGNED_IN
  const pool = cognito({ session: async () => current })
  const account = new Account(pool)
  await account.restore()
  current = undefined
  await expect(account.session()).rejects.toThrow(SessionExpired)
  expect(account.state()).toEqual({ phase: 'signed-out', notice: 'Your session has expired. Sign in again to go on.' })
  expect(pool.signOut).toHaveBeenCalledOnce()
})

test('nobody is told to be signed out before nothing is left to restore', async () => {
  let forget = () => {}
  const account = new Account(cognito({ signOut: () => new Promise(resolve => (forget = resolve)) }))
  await account.restore()
  const signedOut = account.signOut()
  expect(account.state().phase).toBe('signed-in')
  forget()
  await signedOut
  expect(account.state()).toEqual({ phase: 'signed-out' })
})

test('signing out works where the service cannot be reached', async () => {
  const account = new Account(cognito({ signOut: () => Promise.reject(refusal('NetworkError')) }))
  await account.restore()
  await account.signOut()
  expect(account.state()).toEqual({ phase: 'signed-out' })
})

test('what is on the screen survives an expired session, but neither a sign-out nor another user', async () => {
  let current: SignedIn | undefined = SIGNED_IN
  const account = new Account(cognito({ session: async () => current }))
  const forget = vi.fn()
  onOtherUser(account, forget)
  await account.restore()
  await account.expire()
  await account.restore()
  expect(forget).not.toHaveBeenCalled()
  await account.expire()
  current = { ...SIGNED_IN, username: 'eve' }
  await account.restore()
  expect(forget).toHaveBeenCalledTimes(1)
  await account.signOut()
  expect(forget).toHaveBeenCalledTimes(2)
})
