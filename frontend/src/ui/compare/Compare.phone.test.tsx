// @vitest-environment jsdom
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { withDocument } from '../testing/document'
import { fakeTransport } from '../testing/fake-transport'
import { Compare } from './Compare'
import { Race } from './race'

withDocument(390)

test('on a phone the lanes are tabs, and the arrow keys move between them', async () => {
  const { transport } = fakeTransport()
  const race = new Race({ 'function-url': transport, appsync: transport }, async () => ({ accessToken: 'token' }))
  render(<Compare race={race} onSignIn={() => {}} />)
  const [first, second] = screen.getAllByRole('tab')
  expect(screen.getByRole('tabpanel').getAttribute('aria-labelledby')).toBe(first?.id)
  first?.focus()
  await userEvent.keyboard('{ArrowRight}')
  expect(document.activeElement).toBe(second)
  expect(second?.getAttribute('aria-selected')).toBe('true')
  expect(screen.getByRole('tabpanel').getAttribute('aria-labelledby')).toBe(second?.id)
  await userEvent.keyboard('{ArrowRight}')
  expect(document.activeElement).toBe(first)
})
