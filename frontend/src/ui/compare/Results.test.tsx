// @vitest-environment jsdom
import { render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { withDocument } from '../testing/document'
import { fakeTransport } from '../testing/fake-transport'
import { Compare } from './Compare'
import { Race } from './race'

withDocument()
// The clock stands still: what is late is late by what the test says.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

/** Starts a race of two lanes; the first tokens of `late` are so many milliseconds late, a pair each round. */
async function run(...late: [number, number][]) {
  const [url, appsync] = [fakeTransport(), fakeTransport()]
  const transports = { 'function-url': url.transport, appsync: appsync.transport }
  render(<Compare race={new Race(transports, async () => ({ accessToken: 'token' }))} onSignIn={() => {}} />)
  if (late.length > 1) await userEvent.click(screen.getByRole('radio', { name: `${late.length}×` }))
  await userEvent.click(screen.getByRole('button', { name: 'Run' }))
  for (const [round, pair] of late.entries()) {
    for (const [index, { answers }] of [url, appsync].entries()) {
      await waitFor(() => expect(answers).toHaveLength(round + 1))
      answers[round]?.start()
      answers[round]?.text('text', pair[index])
      answers[round]?.done()
    }
  }
  await screen.findByRole('button', { name: 'Run' })
}

const cells = (row: RegExp) =>
  within(screen.getByRole('row', { name: row }))
    .getAllByRole('cell')
    .map(cell => cell.textContent)

test('repeated runs are told by median and p95 of the warm ones, and the first run apart', async () => {
  await run([900, 2_000], [100, 500], [300, 400])
  expect(await screen.findByText('median of 2 warm runs')).toBeTruthy()
  expect(cells(/^first token \d/)).toEqual(['200 ms (best)', '450 ms'])
  expect(cells(/^first token, p95/)).toEqual(['300 ms', '500 ms'])
  expect(cells(/^first token, first run/)).toEqual(['900 ms', '2000 ms'])
  expect(screen.getByText(/^was first/).textContent).toBe(
    'function-url was first: 200 ms to the first token, median of 2, 250 ms (125 %) before appsync.',
  )
})

test('where a slow run of the first does not beat the median of another, the line says that runs overlap', async () => {
  await run([0, 0], [100, 310], [300, 290])
  expect((await screen.findByText(/before appsync/)).textContent).toContain(
    '100 ms (50 %, runs overlap) before appsync.',
  )
})

test('a single run has no p95, and nothing is left out of it', async () => {
  await run([900, 2_000])
  expect(await screen.findByText(/^was first: 900 ms to the first token, 1100 ms/)).toBeTruthy()
  expect(screen.queryByRole('row', { name: /p95$|first run/ })).toBeNull()
})

test('edited prices change the costs at once, and list prices come back', async () => {
  await run([100, 200])
  const listed = cells(/^per 1,000 answers/)
  const requests = screen.getByRole('spinbutton', { name: /Lambda requests/, hidden: true })
  await userEvent.clear(requests)
  await userEvent.type(requests, '1000')
  // One request of function-url for each answer, two of appsync.
  expect(cells(/^per 1,000 answers/)[0]).toMatch(/^\$1\.00/)
  expect(cells(/^per 1,000 answers/)[1]).toMatch(/^\$2\.0\d/)
  await userEvent.click(screen.getByRole('button', { name: 'Back to list prices', hidden: true }))
  expect(cells(/^per 1,000 answers/)).toEqual(listed)
  expect(screen.getByRole('spinbutton', { name: /Lambda requests/, hidden: true })).toHaveProperty('value', '0.2')
})
