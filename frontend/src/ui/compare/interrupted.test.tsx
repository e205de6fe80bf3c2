// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, test } from 'vitest'
import { type RunningStream, RunningStreams } from '../running-streams'
import { heard, lane, pressRun, show } from '../testing/compare'
import { withDocument } from '../testing/document'

withDocument()

test('stopping one lane leaves the others running', async () => {
  const { answers, fakes } = show()
  await pressRun()
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
  await pressRun()
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
  await pressRun()
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
  await pressRun()
  const [url, websocket, appsync] = answers.map(([first]) => first)
  url?.start()
  url?.marks?.dropped?.(performance.now())
  expect(await lane('function-url').findByText('resuming')).toBeTruthy()
  await waitFor(() => expect(heard()).toContain('function-url: resuming'))
  url?.marks?.resumed?.(performance.now(), 0)
  url?.text('text')
  url?.done()
  websocket?.marks?.resumed?.(performance.now(), undefined)
  websocket?.marks?.resumed?.(performance.now(), 12)
  websocket?.whole('text')
  appsync?.whole('text')
  await screen.findByRole('button', { name: 'Run' })
  const mark = lane('function-url').getByText('resumed 1× after event 0')
  expect(mark.title).toContain('The time that this took is in the numbers')
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
    const running = left(found('appsync', 'old'))
    const { answers } = show(running)
    await waitFor(() => expect(answers[2]).toHaveLength(1))
    answers[2][0]?.whole('')
    // As it stays when a session ends before the answer does.
    running.remember(found('websocket-api', 'older'))
    await screen.findByRole('button', { name: 'Run' })
    await pressRun()
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
