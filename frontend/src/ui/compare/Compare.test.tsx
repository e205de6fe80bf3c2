// @vitest-environment jsdom
import { render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ARCHITECTURES } from '../../transports/transport'
import { LiveRegion } from '../LiveRegion'
import { type RunningStream, RunningStreams } from '../running-streams'
import { withDocument } from '../testing/document'
import { fakeTransport } from '../testing/fake-transport'
import { Compare } from './Compare'
import { Race } from './race'

withDocument()
afterEach(() => void vi.useRealTimers())

function show(running?: RunningStreams) {
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

const run = () => userEvent.click(screen.getByRole('button', { name: 'Run' }))
const heard = () => [...screen.getByRole('log').children].map(line => line.textContent)
const DONE = ARCHITECTURES.map(name => `${name}: done`)
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
  firsts[0]?.text('slow', 1_000)
  firsts[2]?.text('slow', 2_000)
  for (const first of firsts) first?.done()
  await waitFor(() => expect(screen.getByText(/^was first/).textContent).toContain('before function-url'))
  expect(screen.getByText(/^was first/).parentElement?.textContent).toMatch(/^websocket-api was first/)
})

test('lanes that cannot be told apart are level, also for the live region and in the table', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { answers } = show()
  await run()
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

test('a gap is put down to its way here, not to versions', async () => {
  const { answers } = show()
  await run()
  answers[0][0]?.start()
  answers[0][0]?.lose()
  answers[0][0]?.text('after it')
  expect(await lane('function-url').findByText('protocol')).toBeTruthy()
  expect(lane('function-url').getByText(/^It was lost on its way here/)).toBeTruthy()
  expect(lane('function-url').queryByText(/different versions/)).toBeNull()
})

test('a refused token leads back to signing in', async () => {
  const { answers, onSignIn } = show()
  await run()
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
    await run()
    const failure = { phase: 'connect', code: 'network', message: 'Refused.', retryable: true } as const
    answers[1][0]?.fail({ ...failure, unexplained })
    answers[0][0]?.whole('one')
    answers[2][0]?.whole('two')
    expect(await lane('websocket-api').findByRole('button', { name: 'Try again' })).toBeTruthy()
    expect(lane('websocket-api').queryAllByRole('button', { name: 'Sign in again' })).toHaveLength(offers)
  },
)

test('stopping one lane leaves the others running', async () => {
  const { answers, fakes } = show()
  await run()
  await userEvent.click(await lane('appsync').findByRole('button', { name: 'Stop' }))
  expect(await lane('appsync').findByText('stopped')).toBeTruthy()
  expect(fakes.map(({ cancelled }) => cancelled.length)).toEqual([0, 0, 1])
  await userEvent.click(screen.getByRole('button', { name: 'Stop all' }))
  expect(fakes.map(({ cancelled }) => cancelled.length)).toEqual([1, 1, 1])
  expect(await screen.findByRole('button', { name: 'Run' })).toBeTruthy()
  expect(answers.map(([first]) => first?.signal.aborted)).toEqual([false, false, false])
})

test('what is stopped says so at once, and pressed again does not wait for the server', async () => {
  const { race, answers, fakes } = show()
  for (const fake of fakes) fake.onCancel = () => new Promise(() => {})
  await run()
  for (const [first] of answers) first?.start()
  await userEvent.click(screen.getByRole('button', { name: 'Stop all' }))
  expect(await lane('appsync').findByText('stopping')).toBeTruthy()
  expect(screen.getByText('Stopping.')).toBeTruthy()
  await userEvent.click(lane('appsync').getByRole('button', { name: 'Stop now' }))
  expect(await lane('appsync').findByText('stopped')).toBeTruthy()
  const [all] = screen.getAllByRole('button', { name: 'Stop now' })
  await userEvent.click(all as HTMLElement)
  expect(await screen.findByRole('button', { name: 'Run' })).toBeTruthy()
  expect(answers.map(([first]) => first?.signal.aborted)).toEqual([true, true, true])
  expect(race.state()).toMatchObject({ phase: 'finished', rounds: [] })
})

test('the bill of a stopped answer is an estimate, with its rule, and whether the model has stopped is told', async () => {
  const { answers, fakes } = show()
  for (const fake of fakes.slice(1)) fake.onCancel = () => Promise.reject(new Error('No.'))
  await run()
  for (const [first] of answers) first?.start()
  answers[0][0]?.text('x'.repeat(40))
  answers[1][0]?.text('x'.repeat(4))
  await waitFor(() => expect(lane('websocket-api').getByText('xxxx')).toBeTruthy())
  await userEvent.click(screen.getByRole('button', { name: 'Stop all' }))
  const rule = 'an estimate of one for every 4 characters.'
  expect((await lane('function-url').findByText(/has stopped the model/)).textContent).toBe(
    `The server has stopped the model, which does not say then what it bills: about 10 tokens had come, ${rule}`,
  )
  expect((await lane('websocket-api').findByText(/was closed/)).textContent).toBe(
    `The connection was closed, and the model may have gone on: about 1 token had come, ${rule}`,
  )
  expect((await lane('appsync').findByText(/was closed/)).textContent).toContain('no text had come.')
  const estimated = lane('function-url').getByText('output tokens, est.')
  expect(estimated.parentElement?.title).toContain('One for every 4 characters')
  expect(estimated.nextElementSibling?.textContent).toBe('10')
})

test('an answer that was taken up again says where, also among its raw events, and keeps its place', async () => {
  const { answers } = show()
  await run()
  const [url, websocket, appsync] = answers.map(([first]) => first)
  url?.start()
  url?.marks?.dropped?.(performance.now())
  expect(await lane('function-url').findByText('resuming')).toBeTruthy()
  url?.marks?.resumed?.(performance.now(), 0)
  url?.text('text')
  url?.done()
  websocket?.marks?.resumed?.(performance.now(), undefined)
  websocket?.marks?.resumed?.(performance.now(), 12)
  websocket?.whole('text')
  appsync?.whole('text')
  await screen.findByRole('button', { name: 'Run' })
  const mark = lane('function-url').getByText('resumed 1× after event 0')
  expect(mark.title).toContain('The time that this took is in the numbers.')
  expect(lane('websocket-api').getByText('resumed 2×, last after event 12')).toBeTruthy()
  expect(lane('appsync').queryByText(/^resumed/)).toBeNull()
  await userEvent.click(lane('function-url').getByText('Raw events'))
  const rows = within(await lane('function-url').findByRole('region', { name: /^Raw events/ })).getAllByRole('row')
  expect(rows.map(row => row.textContent?.match(/resumed after event 0|"type":"\w+"/)?.[0])).toEqual([
    undefined,
    '"type":"start"',
    'resumed after event 0',
    '"type":"delta"',
    '"type":"done"',
  ])
  // Its times stay in the numbers.
  const total = within(screen.getByRole('row', { name: /^total/ })).getAllByRole('cell')
  expect(total.map(cell => cell.textContent)).not.toContain('–')
})

describe('after a reload', () => {
  const found = (architecture: RunningStream['architecture'], streamId: string): RunningStream => ({
    streamId,
    architecture,
    view: 'compare',
    prompt: 'Where was I?',
    maxTokens: 128,
    startedAt: Date.now(),
  })

  /** What a page of before has left. */
  function left(...streams: RunningStream[]) {
    const running = new RunningStreams(sessionStorage, () => 'ada')
    for (const stream of streams) running.remember(stream)
    return running
  }
  afterEach(() => sessionStorage.clear())

  test('what was under way is found again, but is no result', async () => {
    const running = left(found('function-url', 'a'), found('appsync', 'b'))
    const { answers, race, fakes } = show(running)
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveProperty('value', 'Where was I?')
    await waitFor(() => expect(answers.map(list => list.length)).toEqual([1, 0, 1]))
    expect(fakes[0]?.resumptions).toEqual([undefined])
    expect(answers[0][0]?.request.streamId).toBe('a')
    answers[0][0]?.whole('all of it')
    answers[2][0]?.whole('this too')
    expect(await lane('appsync').findByText('this too')).toBeTruthy()
    expect(await lane('function-url').findByText('found again after a reload')).toBeTruthy()
    expect(await screen.findByText(/^Found again after a reload: such answers have no times/)).toBeTruthy()
    expect(race.state()).toMatchObject({ phase: 'finished', rounds: [] })
    expect(screen.getByRole('button', { name: 'Copy link' })).toHaveProperty('disabled', true)
    expect(lane('function-url').getByText('total').nextElementSibling?.textContent).toBe('–')
    expect(sessionStorage).toHaveLength(0)
    await userEvent.click(lane('function-url').getByRole('button', { name: 'Run again' }))
    await waitFor(() => expect(answers[0]).toHaveLength(2))
    expect(answers[0][1]?.request).toMatchObject({ maxTokens: 128, messages: [{ content: 'Where was I?' }] })
  })

  test('what the server does not know is as if it had never been', async () => {
    const { race, answers } = show(left(found('function-url', 'a')))
    await waitFor(() => expect(answers[0]).toHaveLength(1))
    answers[0][0]?.fail({ phase: 'request', code: 'not_found', message: 'No.', retryable: false })
    await waitFor(() => expect(race.state()).toEqual({ phase: 'idle', rounds: [] }))
    expect(await lane('function-url').findByText('ready')).toBeTruthy()
    expect(sessionStorage).toHaveLength(0)
  })

  test('it can be stopped', async () => {
    const { answers, fakes } = show(left(found('function-url', 'a')))
    await waitFor(() => expect(answers[0]).toHaveLength(1))
    answers[0][0]?.start()
    await userEvent.click(screen.getByRole('button', { name: 'Stop all' }))
    expect(fakes[0]?.cancelled).toMatchObject([{ streamId: 'a' }])
    expect(await lane('function-url').findByText('stopped')).toBeTruthy()
  })

  test('a race leaves what it takes while it runs, and nothing of the answers', async () => {
    const { answers } = show(left(found('appsync', 'old')))
    await waitFor(() => expect(answers[2]).toHaveLength(1))
    answers[2][0]?.whole('')
    await screen.findByRole('button', { name: 'Run' })
    await run()
    await waitFor(() => expect(answers[2]).toHaveLength(2))
    answers[0][0]?.start()
    answers[0][0]?.text('secret words')
    await waitFor(() => expect(lane('function-url').getByText('secret words')).toBeTruthy())
    const kept = sessionStorage.getItem('tristream.running') ?? ''
    expect(JSON.parse(kept).streams).toHaveLength(3)
    expect(kept).toContain('Where was I?')
    expect(kept).not.toMatch(/secret|old|token/)
    await userEvent.click(screen.getByRole('button', { name: 'Stop all' }))
    await screen.findByRole('button', { name: 'Run' })
    expect(sessionStorage).toHaveLength(0)
  })
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
  await waitFor(() => expect(heard().at(-1)).toBe('function-url: done'))
  expect(heard().join()).not.toContain('secret')
})

test('the raw events of two lanes are regions of different names', async () => {
  const { answers } = show()
  await run()
  for (const [first] of answers) first?.whole('text')
  for (const name of ARCHITECTURES) {
    await waitFor(() => expect(lane(name).getByText('done')).toBeTruthy())
    await userEvent.click(lane(name).getByText('Raw events'))
    expect(await lane(name).findByRole('region', { name: `Raw events of ${name}` })).toBeTruthy()
  }
})
