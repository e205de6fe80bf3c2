// @vitest-environment jsdom
import { act, render, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { Failure } from './Failure'
import { duration } from './format'
import { withDocument } from './testing/document'

withDocument()
afterEach(() => void vi.useRealTimers())

const LIMITED = { phase: 'request', code: 'rate_limited', message: 'Enough for today.', retryable: true } as const

test('a refusal that passes says for how long, and counts down', () => {
  vi.useFakeTimers()
  render(<Failure failure={{ ...LIMITED, retryAt: performance.now() + 61_000 }} onRetry={() => {}} />)
  expect(screen.getByText('Try again in 2 min.')).toBeTruthy()
  act(() => void vi.advanceTimersByTime(2_000))
  expect(screen.getByText('Try again in 59 s.')).toBeTruthy()
  act(() => void vi.advanceTimersByTime(59_000))
  expect(screen.getByText('It may be tried again now.')).toBeTruthy()
  expect(vi.getTimerCount()).toBe(0)
})

test('a refusal that does not say so promises nothing', () => {
  render(<Failure failure={LIMITED} />)
  expect(screen.queryByText(/in \d/)).toBeNull()
})

test('a conflict is explained: nothing was paid twice', () => {
  const message = 'An answer with this stream_id already exists.'
  render(<Failure failure={{ ...LIMITED, code: 'conflict', message, retryable: false }} />)
  expect(screen.getByText(/nothing was paid twice/)).toBeTruthy()
})

test.each([
  [1, '1 s'],
  [59, '59 s'],
  [60, '1 min'],
  [3_540, '59 min'],
  [3_541, '1 h'],
  [3_601, '1 h 1 min'],
  [86_399, '24 h'],
])('%i seconds are %s', (seconds, expected) => {
  expect(duration(seconds)).toBe(expected)
})
