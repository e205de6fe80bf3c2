// @vitest-environment jsdom
import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { idle, type Lane } from '../../lane/reducer'
import { withDocument } from '../testing/document'
import { Waterfall } from './Waterfall'

withDocument()

const REFUSED = { phase: 'request', code: 'model_throttled', message: 'Busy.', retryable: true } as const
const UNREACHED = { ...REFUSED, phase: 'connect', code: 'network' } as const
const MARKS = { startedAt: 1_000, connectedAt: 1_020, acceptedAt: 1_100, firstTokenAt: 1_400 }

test('of an answer that was found again no times are known', () => {
  const lane: Lane = { ...idle, phase: 'done', ...MARKS, endedAt: 1_900, foundAgain: true }
  render(<Waterfall architecture="appsync" lane={lane} scale={1_000} />)
  expect(screen.getByRole('img').getAttribute('aria-label')).toBe('No times are known')
})

test.each<[string, Partial<Lane>]>([
  ['connect 900 ms', { startedAt: 1_000 }],
  ['connect 900 ms', { startedAt: 1_000, failure: UNREACHED }],
  ['accept 900 ms', { startedAt: 1_000, failure: REFUSED }],
  ['connect 20 ms, accept 880 ms', { startedAt: 1_000, connectedAt: 1_020, failure: REFUSED }],
  ['connect 20 ms, accept 880 ms', { startedAt: 1_000, connectedAt: 1_020 }],
  ['connect 20 ms, accept 80 ms, first token 800 ms', { startedAt: 1_000, connectedAt: 1_020, acceptedAt: 1_100 }],
  ['connect 20 ms, accept 80 ms, first token 300 ms, stream 500 ms', MARKS],
])('a lane that ended there has spent its time on: %s', (says, marks) => {
  const lane: Lane = { ...idle, phase: 'failed', ...marks, endedAt: 1_900 }
  render(<Waterfall architecture="appsync" lane={lane} scale={1_000} />)
  expect(screen.getByRole('img').getAttribute('aria-label')).toBe(`Time spent: ${says}`)
})
