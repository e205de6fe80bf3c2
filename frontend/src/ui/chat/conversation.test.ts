// @vitest-environment jsdom
import { expect, test, vi } from 'vitest'
import { fakeTransport } from '../testing/fake-transport'
import { Conversation } from './conversation'

function begin(session = async () => ({ accessToken: 'token' })) {
  const { transport, answers } = fakeTransport()
  return { conversation: new Conversation({ 'function-url': transport }, session), answers }
}

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
  const { conversation, answers } = begin()
  const first = conversation.send('one', 'function-url')
  await next(answers, 1)
  conversation.clear()
  await first
  expect(answers[0]?.signal.aborted).toBe(true)
  expect(conversation.state()).toEqual({ turns: [], running: false })
})

test('without a session the reason is told and nothing runs', async () => {
  const { conversation } = begin(() => Promise.reject(new Error('Your session has expired.')))
  await conversation.send('one', 'function-url')
  expect(conversation.state()).toMatchObject({ running: false, problem: 'Your session has expired.' })
})
