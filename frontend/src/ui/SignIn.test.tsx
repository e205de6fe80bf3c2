// @vitest-environment jsdom
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { Account } from '../auth/account'
import type { Cognito } from '../auth/cognito'
import { App } from './App'
import { Conversation } from './chat/conversation'
import { Race } from './compare/race'
import { withDocument } from './testing/document'

withDocument()

function show(pool: Partial<Cognito>) {
  let signedIn = false
  const account = new Account({
    signIn: async (_, password) => {
      if (password !== 'right') throw Object.assign(new Error(), { name: 'NotAuthorizedException' })
      signedIn = true
      return 'done'
    },
    choosePassword: async () => {
      signedIn = true
      return 'done'
    },
    session: async () => (signedIn ? { accessToken: 'token', username: 'ada' } : undefined),
    signOut: async () => {
      signedIn = false
    },
    ...pool,
  })
  const session = () => account.session()
  render(<App account={account} race={new Race({}, session)} conversation={new Conversation({}, session)} />)
  return account
}

async function enter(password: string) {
  await userEvent.type(await screen.findByLabelText('User name or email'), 'ada')
  await userEvent.type(screen.getByLabelText('Password'), password)
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
}

test('nobody’s name or password is filled in by itself', async () => {
  show({})
  expect(await screen.findByLabelText<HTMLInputElement>('User name or email')).toHaveProperty('value', '')
  expect(screen.getByLabelText<HTMLInputElement>('Password')).toHaveProperty('value', '')
})

test('a wrong password is said, and the form can be sent again', async () => {
  show({})
  await enter('wrong')
  expect((await screen.findByRole('alert')).textContent).toBe('The user name or the password is not right.')
  await userEvent.clear(screen.getByLabelText('Password'))
  await userEvent.type(screen.getByLabelText('Password'), 'right')
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('tab', { name: 'Compare' })).toBeTruthy()
})

test('a new password must be typed twice alike', async () => {
  show({ signIn: async () => 'new-password' })
  await enter('given')
  await userEvent.type(await screen.findByLabelText('New password'), 'one')
  await userEvent.type(screen.getByLabelText('New password again'), 'two')
  await userEvent.click(screen.getByRole('button', { name: 'Set password' }))
  expect((await screen.findByRole('alert')).textContent).toBe('The two passwords are not the same.')
})

test('an expired session goes back to the form and says so', async () => {
  const account = show({})
  await enter('right')
  await screen.findByRole('tab', { name: 'Compare' })
  void account.expire()
  expect((await screen.findByRole('alert')).textContent).toContain('expired')
})
