import { beforeEach, expect, test, vi } from 'vitest'
import { type RunningStream, RunningStreams } from './running-streams'

const KEY = 'tristream.running'
const stream = (streamId: string, over: Partial<RunningStream> = {}) =>
  ({
    streamId,
    architecture: 'appsync',
    view: 'compare',
    prompt: 'Why?',
    maxTokens: 9,
    startedAt: Date.now(),
    ...over,
  }) as RunningStream

let kept: Map<string, string>
let user: string | undefined

/** As the page is loaded anew each time, what it finds is in the storage. */
function running() {
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }
  return new RunningStreams(storage, () => user)
}

beforeEach(() => {
  kept = new Map()
  user = 'ada'
})

test('what runs is there after a reload, in the view that it belongs to, until it has ended', () => {
  const [a, b] = [stream('a'), stream('b', { view: 'chat' })]
  for (const one of [a, b]) running().remember(one)
  expect(running().of('compare')).toEqual([a])
  expect(running().of('chat')).toEqual([b])
  running().forget('a')
  expect(running().of('compare')).toEqual([])
  running().forget('b')
  expect(kept.size).toBe(0)
})

test('one view is forgotten without the other', () => {
  for (const one of [stream('a'), stream('b'), stream('c', { view: 'chat' })]) running().remember(one)
  running().forgetAll('compare')
  expect([running().of('compare').length, running().of('chat').length]).toEqual([0, 1])
})

test('nobody finds what another user has asked, nor is it left there', () => {
  running().remember(stream('a'))
  user = undefined
  expect(running().of('compare')).toEqual([])
  expect(kept.size).toBe(1)
  user = 'eve'
  expect(running().of('compare')).toEqual([])
  expect(kept.size).toBe(0)
})

test('nothing is kept for nobody', () => {
  user = undefined
  running().remember(stream('a'))
  expect(kept.size).toBe(0)
})

test('signing out clears it', () => {
  running().remember(stream('a'))
  running().clear()
  expect(kept.size).toBe(0)
})

test('what is older than any answer can be is passed over', () => {
  running().remember(stream('a'))
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 61 * 60_000)
  expect(running().of('compare')).toEqual([])
})

test.each([
  'no json',
  '7',
  'null',
  '{"user":"ada"}',
  '{"user":"ada","streams":[null,7,{"streamId":"a"}]}',
  JSON.stringify({ user: 'ada', streams: [stream('a', { architecture: 'novelty' as never })] }),
  JSON.stringify({ user: 'ada', streams: [{ ...stream('a'), maxTokens: undefined }] }),
])('%s in the storage is nothing', text => {
  kept.set(KEY, text)
  expect(running().of('compare')).toEqual([])
  running().remember(stream('b'))
  expect(running().of('compare')).toHaveLength(1)
})
