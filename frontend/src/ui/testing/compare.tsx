import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { vi } from 'vitest'
import { Compare } from '../compare/Compare'
import { Race } from '../compare/race'
import { LiveRegion } from '../LiveRegion'
import type { RunningStreams } from '../running-streams'
import { fakeTransport } from './fake-transport'

/** The view of three lanes, whose answers a test feeds by hand. `running` is what a page of before has left. */
export function show(running?: RunningStreams) {
  const fakes = [fakeTransport(), fakeTransport(), fakeTransport()] as const
  const [url, websocket, appsync] = fakes
  const race = new Race(
    { 'function-url': url.transport, 'websocket-api': websocket.transport, appsync: appsync.transport },
    async () => ({ accessToken: 'token' }),
    running,
  )
  void race.findAgain()
  const onSignIn = vi.fn()
  render(
    <>
      <LiveRegion />
      <Compare race={race} onSignIn={onSignIn} />
    </>,
  )
  return { race, onSignIn, fakes, answers: [url.answers, websocket.answers, appsync.answers] as const }
}

export const pressRun = () => userEvent.click(screen.getByRole('button', { name: 'Run' }))
export const heard = () => [...screen.getByRole('log').children].map(line => line.textContent)
export const lane = (name: string) => within(screen.getByRole('article', { name }))
