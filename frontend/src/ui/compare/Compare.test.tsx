// @vitest-environment jsdom
import { render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import { ARCHITECTURES } from '../../transports/transport'
import { LiveRegion } from '../LiveRegion'
import { withDocument } from '../testing/document'
import { fakeTransport } from '../testing/fake-transport'
import { Compare } from './Compare'
import { Race } from './race'

withDocument()

function show() {
  const [url, websocket, appsync] = [fakeTransport(), fakeTransport(), fakeTransport()]
  const race = new Race(
    { 'function-url': url.transport, 'websocket-api': websocket.transport, appsync: appsync.transport },
    async () => ({ accessToken: 'token' }),
  )
  const onSignIn = vi.fn()
  render(
    <>
      <LiveRegion />
      <Compare race={race} onSignIn={onSignIn} />
    </>,
  )
  return { race, onSignIn, answers: [url.answers, websocket.answers, appsync.answers] as const }
}

const run = () => userEvent.click(screen.getByRole('button', { name: 'Run' }))
const lane = (name: string) => within(screen.getByRole('article', { name }))

test('one prompt goes to all lanes, each under an id of its own, and the first is named', async () => {
  const { answers } = show()
  await run()
  const firsts = answers.map(([first]) => first)
  expect(new Set(firsts.map(first => first?.request.streamId)).size).toBe(3)
  expect(new Set(firsts.map(first => first?.request.messages[0]?.content)).size).toBe(1)
  for (const first of firsts) first?.start()
  firsts[1]?.text('fast')
  await waitFor(() => expect(lane('websocket-api').getByText('fast')).toBeTruthy())
  firsts[0]?.text('slow')
  firsts[2]?.text('slow')
  for (const first of firsts) first?.done()
  await waitFor(() => expect(screen.getByText(/^was first/).textContent).toContain('before function-url'))
  expect(screen.getByText(/^was first/).parentElement?.textContent).toMatch(/^websocket-api was first/)
})

test('a lane that fails says where, with which code and what to do, and can be tried again', async () => {
  const { answers } = show()
  await run()
  answers[0][0]?.fail({ phase: 'request', code: 'model_throttled', message: 'The model is busy.', retryable: true })
  answers[1][0]?.whole('one')
  answers[2][0]?.whole('two')
  expect(await lane('function-url').findByText('model_throttled')).toBeTruthy()
  expect(lane('function-url').getByText('while sending the request')).toBeTruthy()
  expect(lane('function-url').getByText(/higher quota/)).toBeTruthy()
  await userEvent.click(await lane('function-url').findByRole('button', { name: 'Try again' }))
  answers[0][1]?.whole('at last')
  expect(await lane('function-url').findByText('at last')).toBeTruthy()
  expect(answers[1]).toHaveLength(1)
})

test('a refused token leads back to signing in', async () => {
  const { answers, onSignIn } = show()
  await run()
  answers[0][0]?.fail({ phase: 'request', code: 'unauthorized', message: 'Refused.', retryable: false })
  await userEvent.click(await lane('function-url').findByRole('button', { name: 'Sign in again' }))
  expect(onSignIn).toHaveBeenCalledOnce()
})

test('stopping one lane leaves the others running', async () => {
  const { answers } = show()
  await run()
  await userEvent.click(await lane('appsync').findByRole('button', { name: 'Stop' }))
  expect(answers[2][0]?.signal.aborted).toBe(true)
  expect(answers[0][0]?.signal.aborted).toBe(false)
  await userEvent.click(screen.getByRole('button', { name: 'Stop all' }))
  expect(answers[0][0]?.signal.aborted).toBe(true)
})

test('in turn, a lane begins when the one before has ended, and every round begins with another one', async () => {
  const { race, answers } = show()
  const began = vi.fn()
  const ended = race.start({ prompt: 'hello', maxTokens: 9, order: 'in-turn', runs: 2 })
  for (let turn = 0; turn < 6; turn++) {
    await vi.waitFor(() => expect(answers.flat()).toHaveLength(turn + 1))
    const index = answers.findIndex(list => list.some(answer => !began.mock.calls.flat().includes(answer)))
    const answer = answers[index]?.at(-1)
    began(answer)
    answer?.whole(ARCHITECTURES[index] ?? '')
  }
  await ended
  const order = began.mock.calls.map(([answer]) => answers.findIndex(list => list.includes(answer)))
  expect(order).toEqual([0, 1, 2, 1, 2, 0])
})

test('the live region hears phases, never the text', async () => {
  const { answers } = show()
  await run()
  answers[0][0]?.whole('secret words')
  await waitFor(() => expect(screen.getByRole('status').textContent).toBe('function-url: done'))
  expect(screen.getByRole('status').textContent).not.toContain('secret')
})
