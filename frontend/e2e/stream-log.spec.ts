import type { Page } from '@playwright/test'
import { expectAccessible } from './accessible.ts'
import { exported } from './csv.ts'
import { type Plan, test } from './faults.ts'
import { ARCHITECTURES, answer, arrivals, expect, lane, signIn } from './page.ts'

// One after the other: what is planned meets every stream of the cloud.
test.describe.configure({ mode: 'default' })

const WORDS = Array.from({ length: 40 }, (_, index) => `word${index + 1} `)
const WHOLE = WORDS.join('').trim()

/** Slow enough for something to happen in the middle, and to be seen to stop. */
const SLOW: Plan = { model: { tokens: WORDS, first_token_ms: 50, between_tokens_ms: 120 } }

let asked = 0
/** In words of its own, so that the model's calls for it can be told apart. */
function question(): string {
  asked++
  return `What does heron number ${asked} of ${process.pid} eat?`
}

async function run(page: Page, prompt: string) {
  await page.getByLabel('Prompt', { exact: true }).fill(prompt)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
}

async function expectPhase(page: Page, architecture: string, phase: 'done' | 'failed' | 'stopped') {
  await expect(lane(page, architecture).getByText(phase, { exact: true })).toBeVisible()
}

const texts = (page: Page, architecture: string) => answer(page, architecture).locator('p').first()
const turns = (page: Page) => page.getByRole('article', { name: 'Question and answer' })
const mark = (page: Page, architecture: string) => lane(page, architecture).getByText(/^resumed \d×/)

async function ask(page: Page, prompt: string) {
  await page.getByLabel('Message').fill(prompt)
  await page.getByLabel('Message').press('Enter')
}

test.beforeEach(async ({ page }) => {
  await signIn(page)
  await page.getByLabel('at most').selectOption('128')
})

test.describe('Stop', () => {
  test('stops the model of every lane, whose text stays, and says what is known of the bill', async ({
    page,
    faults,
  }) => {
    await faults.plan(SLOW)
    const prompt = question()
    await run(page, prompt)
    for (const architecture of ARCHITECTURES) await expect(texts(page, architecture)).toContainText('word5')
    await page.getByRole('button', { name: 'Stop all' }).click()
    for (const architecture of ARCHITECTURES) {
      await expectPhase(page, architecture, 'stopped')
      await expect(answer(page, architecture)).toContainText('The server has stopped the model')
      await expect(answer(page, architecture)).toContainText('an estimate of one for every 4 characters')
      await expect(lane(page, architecture).getByText('output tokens, est.')).toBeVisible()
      const events = await arrivals(page, architecture)
      expect(events.at(-1)?.event, architecture).toMatchObject({ type: 'done', stop_reason: 'cancelled' })
      expect(events.at(-1)?.event, architecture).not.toHaveProperty('usage')
      const text = events.map(({ event }) => event.text ?? '').join('')
      expect(WORDS.join('').startsWith(text), `${architecture}: ${text}`).toBe(true)
      expect(text.length).toBeLessThan(WORDS.join('').length)
    }
    const calls = await faults.modelCalls(prompt)
    expect(calls).toHaveLength(ARCHITECTURES.length)
    for (const call of calls) {
      expect(call).toMatchObject({ closed: true, completed: false })
      expect(call.tokens).toBeLessThan(WORDS.length)
    }
    await expectAccessible(page, 'stopped lanes')
  })

  test('works before the first token', async ({ page, faults }) => {
    await faults.plan({ model: { tokens: WORDS, first_token_ms: 20_000, between_tokens_ms: 10 } })
    const prompt = question()
    await run(page, prompt)
    await expect.poll(async () => (await faults.modelCalls(prompt)).length).toBe(ARCHITECTURES.length)
    await page.getByRole('button', { name: 'Stop all' }).click()
    for (const architecture of ARCHITECTURES) {
      await expectPhase(page, architecture, 'stopped')
      await expect(answer(page, architecture)).toContainText('Stopped before the first token.')
    }
    await expect
      .poll(async () => (await faults.modelCalls(prompt)).map(({ closed, tokens }) => [closed, tokens]))
      .toEqual(ARCHITECTURES.map(() => [true, 0]))
  })

  test('stops the model of a conversation, whose next question goes with what had come', async ({ page, faults }) => {
    await page.getByRole('tab', { name: 'Chat' }).click()
    for (const [index, architecture] of ARCHITECTURES.entries()) {
      await faults.plan(SLOW)
      await page.getByText(architecture, { exact: true }).first().click()
      const prompt = question()
      await ask(page, prompt)
      const turn = turns(page).nth(index)
      await expect(turn).toContainText('word3')
      await page.getByRole('button', { name: 'Stop' }).click()
      await expect(turn.getByText('stopped', { exact: true })).toBeVisible()
      await expect(turn).toContainText('The server has stopped the model')
      const calls = (await faults.modelCalls(prompt)).filter(({ tokens }) => tokens > 0)
      expect(calls.at(-1), architecture).toMatchObject({ closed: true, completed: false })
      await expect(page.getByRole('button', { name: 'Send' })).toBeVisible()
    }
  })
})

test.describe('A connection that is cut', () => {
  test.use({ provokes: /ERR_INCOMPLETE_CHUNKED_ENCODING/ })

  test('is made again, and the answer is whole, from one call of the model', async ({ page, faults }) => {
    await faults.plan(SLOW)
    for (const architecture of ARCHITECTURES) {
      await faults.planDeltas(architecture, [{ call: 6, times: 1, fault: 'cut' }])
    }
    const prompt = question()
    await run(page, prompt)
    for (const architecture of ARCHITECTURES) {
      await expectPhase(page, architecture, 'done')
      await expect(texts(page, architecture)).toHaveText(WHOLE)
      await expect(mark(page, architecture)).toHaveText(/^resumed 1× after event \d+$/)
      const events = await arrivals(page, architecture)
      expect(events.flatMap(({ event }) => event.text ?? []).join('')).toBe(WORDS.join(''))
      const rows = lane(page, architecture).getByRole('region', { name: 'Raw events' })
      await expect(rows.getByText(/^resumed after event \d+$/)).toHaveCount(1)
    }
    expect(await faults.modelCalls(prompt)).toHaveLength(ARCHITECTURES.length)
    for (const row of (await exported(page)).runs) {
      expect(row).toMatchObject({ outcome: 'done', reconnects: '1', gaps: '0' })
    }
    await expectAccessible(page, 'resumed lanes')
  })

  test('in a conversation goes on, too, and so does the conversation', async ({ page, faults }) => {
    await page.getByRole('tab', { name: 'Chat' }).click()
    for (const [index, architecture] of ARCHITECTURES.entries()) {
      await page.getByText(architecture, { exact: true }).first().click()
      await faults.plan(SLOW)
      await faults.planDeltas(architecture, [{ call: 4, times: 1, fault: 'cut' }])
      await ask(page, question())
      const turn = turns(page).nth(index)
      await expect(turn.getByRole('button', { name: 'Regenerate' })).toBeVisible()
      await expect(turn).toContainText(WHOLE)
      await expect(turn).toContainText('resumed 1×')
      await faults.forget()
    }
  })

  test('again and again is given up in the end, and what had come stays', async ({ page, faults }) => {
    await faults.plan(SLOW)
    await faults.planDeltas('websocket-api', [{ call: 4, fault: 'cut' }])
    await run(page, question())
    await expect(lane(page, 'websocket-api').getByText('resuming', { exact: true })).toBeVisible()
    await expect(lane(page, 'websocket-api').getByText('failed', { exact: true })).toBeVisible({ timeout: 40_000 })
    await expect(answer(page, 'websocket-api')).toContainText('network while streaming')
    await expect(answer(page, 'websocket-api')).toContainText('word2')
    for (const architecture of ['function-url', 'appsync']) await expectPhase(page, architecture, 'done')
  })
})

test('a lost message is read in the log: nothing is missing, and nothing is joined over it', async ({
  page,
  faults,
}) => {
  await faults.plan(SLOW)
  const lossy = ['websocket-api', 'appsync'] as const
  for (const architecture of lossy) {
    await faults.planDeltas(architecture, [{ call: 3, times: 1, fault: 'lose' }])
  }
  const prompt = question()
  await run(page, prompt)
  for (const architecture of ARCHITECTURES) {
    await expectPhase(page, architecture, 'done')
    await expect(texts(page, architecture)).toHaveText(WHOLE)
  }
  for (const architecture of lossy) await expect(mark(page, architecture)).toHaveText('resumed 1× after event 3')
  await expect(page.getByText(/^\d+ (missing|twice)$/)).toHaveCount(0)
  const { runs } = await exported(page)
  expect(runs.map(({ architecture, outcome, gaps, reconnects }) => [architecture, outcome, gaps, reconnects])).toEqual([
    ['function-url', 'done', '0', '0'],
    ['websocket-api', 'done', '0', '1'],
    ['appsync', 'done', '0', '1'],
  ])
  expect(await faults.modelCalls(prompt)).toHaveLength(ARCHITECTURES.length)
})

test('the very first message of appsync may be lost', async ({ page, faults }) => {
  await faults.plan({ model: { tokens: ['All ', 'is ', 'well'], first_token_ms: 5_000, between_tokens_ms: 10 } })
  await faults.planFor('"type":"START"', [{ call: 0, times: 1, fault: 'lose' }])
  await run(page, question())
  await expect(mark(page, 'appsync')).toHaveText('resumed 1× from the beginning')
  await expectPhase(page, 'appsync', 'done')
  await expect(texts(page, 'appsync')).toHaveText('All is well')
})

test.describe('After a reload', () => {
  test('a race is found again whole, from the calls of before, and is no result', async ({ page, faults }) => {
    await faults.plan(SLOW)
    const prompt = question()
    await run(page, prompt)
    for (const architecture of ARCHITECTURES) await expect(texts(page, architecture)).toContainText('word4')
    const kept = await page.evaluate(() => Object.entries(sessionStorage).flat().join())
    expect(kept).toContain(prompt)
    expect(kept).not.toContain('word4')
    await page.reload()
    await expect(page.getByLabel('Prompt', { exact: true })).toHaveValue(prompt)
    for (const architecture of ARCHITECTURES) {
      await expectPhase(page, architecture, 'done')
      await expect(texts(page, architecture)).toHaveText(WHOLE)
      await expect(lane(page, architecture).getByText('found again after a reload')).toBeVisible()
    }
    await expect(page.getByText('Found again after a reload: such answers have no times to compare.')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Copy link' })).toBeDisabled()
    expect(await faults.modelCalls(prompt)).toHaveLength(ARCHITECTURES.length)
    await expectAccessible(page, 'lanes found again')

    await page.reload()
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()
    for (const architecture of ARCHITECTURES) {
      await expect(lane(page, architecture).getByText('ready', { exact: true })).toBeVisible()
    }
  })

  for (const architecture of ARCHITECTURES) {
    test(`an answer of a conversation by ${architecture} is found again, and can be stopped`, async ({
      page,
      faults,
    }) => {
      await faults.plan(SLOW)
      await page.getByRole('tab', { name: 'Chat' }).click()
      await page.getByText(architecture, { exact: true }).first().click()
      const prompt = question()
      await ask(page, prompt)
      await expect(turns(page)).toContainText('word3')
      await page.reload()
      const turn = turns(page)
      await expect(turn).toContainText(prompt)
      await expect(turn).toContainText('word5')
      await expect(turn).toContainText('found again after a reload')
      await page.getByRole('button', { name: 'Stop' }).click()
      await expect(turn.getByText('stopped', { exact: true })).toBeVisible()
      const [call, ...others] = await faults.modelCalls(prompt)
      expect(others).toEqual([])
      expect(call).toMatchObject({ closed: true, completed: false })
    })
  }

  test('nothing of it is left to whoever signs in after a sign-out', async ({ page, faults }) => {
    await faults.plan(SLOW)
    await run(page, question())
    await expect(texts(page, 'function-url')).toContainText('word2')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    await expect.poll(() => page.evaluate(() => Object.keys(sessionStorage))).toEqual([])
  })
})
