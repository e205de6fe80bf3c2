// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'
import { RunningStreams } from '../running-streams'
import { fakeTransport } from '../testing/fake-transport'
import { Conversation } from './conversation'

function begin(session = async () => ({ accessToken: 'token' })) {
  const { transport, answers, cancelled } = fakeTransport()
  const running = new RunningStreams(sessionStorage, () => 'ada')
  const conversation = new Conversation({ 'function-url': transport }, session, running)
  return { conversation, answers, cancelled, running }
}
afterEach(() => sessionStorage.clear())

const next = async (answers: unknown[], count: number) => vi.waitFor(() => expect(answers).toHaveLength(count))

test('every question goes with the turns before it', async () => {
  const { conversation, answers } = begin()
  const first = conversation.send('one', 'function-url')
  await next(answers, 1)
  answers[0]?.whole('eins')
  await first
  void conversation.send('two', 'function-url')
  await next(answers, 2)
  expect(answers[1]?.request.messages).toEqual([
    { role: 'user', content: 'one' },
    { role: 'assistant', content: 'eins' },
    { role: 'user', content: 'two' },
  ])
})

test('a failed turn is left out whole, so that roles alternate; a stopped one stays as far as it came', async () => {
  const { conversation, answers } = begin()
  const failed = conversation.send('one', 'function-url')
  await next(answers, 1)
  answers[0]?.start()
  answers[0]?.text('broken')
  answers[0]?.fail({ phase: 'stream', code: 'network', message: '', retryable: true })
  await failed
  const stopped = conversation.send('two', 'function-url')
  await next(answers, 2)
  answers[1]?.start()
  answers[1]?.text('half')
  await vi.waitFor(() => expect(conversation.state().turns[1]?.answer.current().text).toBe('half'))
  conversation.stop()
  await stopped
  void conversation.send('three', 'function-url')
  await next(answers, 3)
  expect(answers[2]?.request.messages.map(({ content }) => content)).toEqual(['two', 'half', 'three'])
})

test('regenerating asks the same question under a new id, without its former answer', async () => {
  const { conversation, answers } = begin()
  const first = conversation.send('one', 'function-url')
  await next(answers, 1)
  answers[0]?.whole('eins')
  await first
  void conversation.regenerate('function-url')
  await next(answers, 2)
  expect(answers[1]?.request.messages).toEqual([{ role: 'user', content: 'one' }])
  expect(answers[1]?.request.streamId).not.toBe(answers[0]?.request.streamId)
  expect(conversation.state().turns).toHaveLength(1)
})

test('a new chat stops the answer that is on its way', async () => {
  const { conversation, answers, cancelled } = begin()
  const first = conversation.send('one', 'function-url')
  await next(answers, 1)
  conversation.clear()
  await first
  expect(answers[0]?.signal.aborted).toBe(true)
  expect(cancelled).toHaveLength(1)
  expect(conversation.state()).toEqual({ turns: [], running: false })
  expect(sessionStorage).toHaveLength(0)
})

test('an answer that is stopped is on its way until it has ended', async () => {
  const { conversation, answers } = begin()
  const first = conversation.send('one', 'function-url')
  await next(answers, 1)
  answers[0]?.start()
  conversation.stop()
  expect(conversation.state()).toMatchObject({ running: true, stopping: true })
  await first
  const { running, stopping, turns } = conversation.state()
  expect([running, stopping]).toEqual([false, undefined])
  expect(turns[0]?.answer.current()).toMatchObject({ phase: 'stopped', stopReason: 'cancelled' })
})

test('a question that is stopped before there is a session is not asked', async () => {
  let go = () => {}
  const { conversation, answers } = begin(
    () =>
      new Promise(resolve => {
        go = () => resolve({ accessToken: 'token' })
      }),
  )
  const first = conversation.send('one', 'function-url')
  conversation.stop()
  go()
  await first
  expect(answers).toEqual([])
  expect(conversation.state()).toEqual({ turns: [], running: false })
})

test('after a reload the answer under way is found again with its question, and the conversation goes on', async () => {
  const former = begin()
  void former.conversation.send('one', 'function-url')
  await next(former.answers, 1)
  const { conversation, answers } = begin()
  const found = conversation.findAgain()
  expect(conversation.state()).toMatchObject({ running: true, turns: [{ prompt: 'one' }] })
  await next(answers, 1)
  expect(answers[0]?.request.streamId).toBe(former.answers[0]?.request.streamId)
  answers[0]?.whole('eins')
  await found
  expect(conversation.state().running).toBe(false)
  expect(conversation.state().turns[0]?.answer.current()).toMatchObject({ text: 'eins', foundAgain: true })
  expect(sessionStorage).toHaveLength(0)
  void conversation.send('two', 'function-url')
  await next(answers, 2)
  expect(answers[1]?.request.messages.map(({ content }) => content)).toEqual(['one', 'eins', 'two'])
})

test('after a reload there is nothing where the server knows of nothing', async () => {
  const { conversation, answers, running } = begin()
  const fields = { architecture: 'function-url', view: 'chat', prompt: 'one', startedAt: Date.now() } as const
  running.remember({ streamId: 'lost', ...fields })
  const found = conversation.findAgain()
  await next(answers, 1)
  answers[0]?.fail({ phase: 'request', code: 'not_found', message: 'No.', retryable: false })
  await found
  expect(conversation.state()).toEqual({ turns: [], running: false })
  expect(sessionStorage).toHaveLength(0)
})

test('without a session the reason is told and nothing runs', async () => {
  const { conversation } = begin(() => Promise.reject(new Error('Your session has expired.')))
  await conversation.send('one', 'function-url')
  expect(conversation.state()).toMatchObject({ running: false, problem: 'Your session has expired.' })
})
