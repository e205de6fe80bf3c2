// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, expect, test, vi } from 'vitest'
import { ARCHITECTURES } from '../../transports/transport'
import { heard, lane, pressRun, show } from '../testing/compare'
import { withDocument } from '../testing/document'

withDocument()
afterEach(() => void vi.useRealTimers())

const DONE = ARCHITECTURES.map(name => `${name}: done`)
test('one prompt goes to all lanes, each under an id of its own, and the first is named', async () => {
  const { answers } = show()
  await pressRun()
  const firsts = answers.map(([first]) => first)
  expect(new Set(firsts.map(first => first?.request.streamId)).size).toBe(3)
  expect(new Set(firsts.map(first => first?.request.messages[0]?.content)).size).toBe(1)
  for (const first of firsts) first?.start()
  firsts[1]?.text('fast')
  await waitFor(() => expect(lane('websocket-api').getByText('fast')).toBeTruthy())
  firsts[0]?.text('slow', 1_000)
  firsts[2]?.text('slow', 2_000)
  for (const first of firsts) first?.done()
  await waitFor(() => expect(screen.getByText(/^was first/).textContent).toContain('before function-url'))
  expect(screen.getByText(/^was first/).parentElement?.textContent).toMatch(/^websocket-api was first/)
})

test('lanes that cannot be told apart are level, also for the live region and in the table', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { answers } = show()
  await pressRun()
  for (const [first] of answers) first?.start()
  answers[0][0]?.text('a', 400)
  answers[1][0]?.text('b', 404)
  answers[2][0]?.text('c', 500)
  for (const [first] of answers) first?.done()
  const said =
    'function-url and websocket-api are level: 400 ms to the first token, 4.0 ms apart, 100 ms (25 %) before appsync.'
  expect((await screen.findByText('are level', { exact: false, selector: '.text-base' })).textContent).toBe(said)
  // The lanes say in the same moment that they are done, and neither may push the other out.
  await waitFor(() => expect(heard().slice(-4).toSorted()).toEqual([...DONE, said].toSorted()))
  const cells = within(screen.getByRole('row', { name: /^first token/ })).getAllByRole('cell')
  expect(cells.map(cell => cell.textContent)).toEqual(['400 ms (best)', '404 ms (best)', '500 ms'])
})

test('a lane that fails says where, with which code and what to do, and can be tried again', async () => {
  const { answers } = show()
  await pressRun()
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

test('a gap is put down to its way here, not to versions', async () => {
  const { answers } = show()
  await pressRun()
  answers[0][0]?.start()
  answers[0][0]?.lose()
  answers[0][0]?.text('after it')
  expect(await lane('function-url').findByText('protocol')).toBeTruthy()
  expect(lane('function-url').getByText(/^It was lost on its way here/)).toBeTruthy()
  expect(lane('function-url').queryByText(/different versions/)).toBeNull()
})

test('a refused token leads back to signing in', async () => {
  const { answers, onSignIn } = show()
  await pressRun()
  answers[0][0]?.fail({ phase: 'request', code: 'unauthorized', message: 'Refused.', retryable: false })
  await userEvent.click(await lane('function-url').findByRole('button', { name: 'Sign in again' }))
  expect(onSignIn).toHaveBeenCalledOnce()
})

test.each([
  [true, 1, 'may be the sign-in'],
  [false, 0, 'is not'],
])(
  'a connection refused without a reason (%s) offers to sign in again beside trying again: %i, it %s',
  async (unexplained, offers) => {
    const { answers } = show()
    await pressRun()
    const failure = { phase: 'connect', code: 'network', message: 'Refused.', retryable: true } as const
    answers[1][0]?.fail({ ...failure, unexplained })
    answers[0][0]?.whole('one')
    answers[2][0]?.whole('two')
    expect(await lane('websocket-api').findByRole('button', { name: 'Try again' })).toBeTruthy()
    expect(lane('websocket-api').queryAllByRole('button', { name: 'Sign in again' })).toHaveLength(offers)
  },
)

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
  await pressRun()
  answers[0][0]?.whole('secret words')
  await waitFor(() => expect(heard().at(-1)).toBe('function-url: done'))
  expect(heard().join()).not.toContain('secret')
})

test('the raw events of two lanes are regions of different names', async () => {
  const { answers } = show()
  await pressRun()
  for (const [first] of answers) first?.whole('text')
  for (const name of ARCHITECTURES) {
    await waitFor(() => expect(lane(name).getByText('done')).toBeTruthy())
    await userEvent.click(lane(name).getByText('Raw events'))
    expect(await lane(name).findByRole('region', { name: `Raw events of ${name}` })).toBeTruthy()
  }
})
