import type { Page } from '@playwright/test'
import { expectAccessible } from './accessible.ts'
import { exported } from './csv.ts'
import { type Ending, type Plan, test } from './faults.ts'
import { ARCHITECTURES, answer, arrivals, expect, lane, signIn } from './page.ts'

// One after the other: what is planned meets every stream of the cloud.
test.describe.configure({ mode: 'default' })

const TOKENS = 'one two three four five six seven eight nine ten eleven twelve'.split(' ').map(word => `${word} `)
const FIRST_FIVE = 'one two three four five'
const ALL = TOKENS.join('').trim()

/** Slow enough for half a dozen messages, also where they are coalesced longest, so that faults have something to meet. */
function model(ending?: Ending): NonNullable<Plan['model']> {
  return { tokens: TOKENS, first_token_ms: 50, between_tokens_ms: 110, ...(ending && { ending }) }
}

/** Nothing goes wrong: what a page does after a fault needs no long answer to be seen. */
function quick(...tokens: string[]): Plan {
  return { model: { tokens, first_token_ms: 50, between_tokens_ms: 10 } }
}

async function run(page: Page) {
  await page.getByRole('button', { name: 'Run', exact: true }).click()
}

async function expectPhase(page: Page, architecture: string, phase: 'done' | 'failed') {
  await expect(lane(page, architecture).getByText(phase, { exact: true })).toBeVisible()
}

const tryAgain = (page: Page, architecture: string) =>
  answer(page, architecture).getByRole('button', { name: 'Try again' })

/** What of the answer a reader sees, without what is said about a failure. */
const texts = (page: Page, architecture: string) => answer(page, architecture).locator('p').last()

test.beforeEach(async ({ page }) => {
  await signIn(page)
  await page.getByLabel('at most').selectOption('128')
})

test.afterEach('a whole race works again', async ({ page, faults }, { errors }) => {
  if (errors.length > 0) return
  await faults.forget()
  // In words of its own, which no former race has left on the page.
  await faults.plan(quick('All ', 'is ', 'well'))
  await page.getByRole('tab', { name: 'Compare' }).click()
  await run(page)
  for (const architecture of ARCHITECTURES) {
    await expect(texts(page, architecture)).toHaveText('All is well')
    await expectPhase(page, architecture, 'done')
  }
})

test.describe(() => {
  test.use({ provokes: /status of 429/ })

  test('a throttled model fails every lane, which says what to do, and another try answers', async ({
    page,
    faults,
  }) => {
    // Three lanes, and each asks three times.
    await faults.plan({ model: model({ refused: { status: 429, kind: 'ThrottlingException', times: 9 } }) })
    const refused = page.waitForResponse(response => response.status() === 429)
    await run(page)
    for (const architecture of ARCHITECTURES) {
      await expectPhase(page, architecture, 'failed')
      await expect(answer(page, architecture)).toContainText('model_throttled while sending the request')
      await expect(answer(page, architecture)).toContainText('If it stays, ask for a higher quota')
      await expect(lane(page, architecture).getByRole('img', { name: /stream/ })).toHaveCount(0)
    }
    await expect(page.getByText('No winner: fewer than two lanes have finished.')).toBeVisible()
    // Connecting is none of what the server took to ask three times.
    const { requestStart, responseStart } = (await refused).request().timing()
    const row = (await exported(page)).runs.find(run => run.architecture === 'function-url')
    expect(Number(row?.connect_ms)).toBeGreaterThan(0)
    expect(Number(row?.total_ms) - Number(row?.connect_ms)).toBeGreaterThan(responseStart - requestStart - 1)
    await faults.forget()
    for (const architecture of ARCHITECTURES) await tryAgain(page, architecture).click()
    for (const architecture of ARCHITECTURES) {
      await expectPhase(page, architecture, 'done')
      await expect(answer(page, architecture)).toContainText('This is a local stand-in')
    }
  })
})

const BROKEN_MODELS = [
  { code: 'model_unavailable', ending: { exception: { after: 5, kind: 'modelStreamErrorException' } } },
  { code: 'truncated', ending: { truncated: { after: 5 } } },
] as const

for (const { code, ending } of BROKEN_MODELS) {
  test(`${code} in the middle of an answer keeps the text so far`, async ({ page, faults }) => {
    await faults.plan({ model: model(ending) })
    await run(page)
    for (const architecture of ARCHITECTURES) {
      await expectPhase(page, architecture, 'failed')
      await expect(answer(page, architecture)).toContainText(`${code} while streaming`)
      await expect(texts(page, architecture)).toHaveText(FIRST_FIVE)
      await expect(tryAgain(page, architecture)).toBeEnabled()
      const events = await arrivals(page, architecture)
      expect(events.at(-1)?.event, architecture).toMatchObject({ type: 'error', code })
    }
    await expectAccessible(page, 'lanes that failed')
    await page.emulateMedia({ colorScheme: 'dark' })
    await expectAccessible(page, 'lanes that failed, in the dark')
  })
}

test('messages that come twice are counted, and read once', async ({ page, faults }) => {
  await faults.plan({ model: model(), deliveries: [{ call: 3, fault: 'repeat' }] })
  await run(page)
  for (const architecture of ARCHITECTURES) {
    await expectPhase(page, architecture, 'done')
    await expect(texts(page, architecture)).toHaveText(ALL)
    await expect(lane(page, architecture).getByText(/^\d+ twice$/)).toBeVisible()
  }
  for (const row of (await exported(page)).runs) {
    expect(row).toMatchObject({ outcome: 'done', gaps: '0' })
    expect(Number(row.duplicates), row.architecture).toBeGreaterThan(0)
  }
})

test('what appsync delivers out of order is read in order', async ({ page, faults }) => {
  await faults.plan({ model: model() })
  await faults.planDeltas('appsync', [
    { call: 1, times: 1, fault: 'swap' },
    { call: 3, times: 1, fault: 'swap' },
  ])
  await run(page)
  for (const architecture of ARCHITECTURES) {
    await expectPhase(page, architecture, 'done')
    await expect(texts(page, architecture)).toHaveText(ALL)
  }
  const times = (await arrivals(page, 'appsync')).map(({ ms }) => ms)
  const early = times.filter((ms, index) => ms < (times[index - 1] ?? 0))
  expect(early, 'events that had to wait for an earlier one').toHaveLength(2)
})

test('messages that AWS refuses at first are sent again, and nobody sees it', async ({ page, faults }) => {
  // Done, but answered 500: what is sent again is there already, which proves that these two calls are met.
  for (const { fault, twice } of [
    { fault: { done_but: 500 }, twice: '2' },
    { fault: { refuse: 429 }, twice: '0' },
  ]) {
    const met = [{ call: 3, times: 2, fault }]
    await faults.plan({ model: model(), posts: met, publishes: met })
    await run(page)
    for (const architecture of ARCHITECTURES) {
      await expectPhase(page, architecture, 'done')
      await expect(texts(page, architecture)).toHaveText(ALL)
    }
    await expect(page.getByText(/^\d+ (missing|twice)$/)).toHaveCount(twice === '0' ? 0 : 2)
    const { runs } = await exported(page)
    expect(runs.map(({ architecture, outcome, duplicates }) => [architecture, outcome, duplicates])).toEqual([
      ['function-url', 'done', '0'],
      ['websocket-api', 'done', twice],
      ['appsync', 'done', twice],
    ])
  }
})

test('a conversation goes on after an answer that broke, and without it', async ({ page, faults }) => {
  const asked = watchMessages(page)
  await page.getByRole('tab', { name: 'Chat' }).click()
  const turns = page.getByRole('article', { name: 'Question and answer' })
  const ask = async (question: string) => {
    await page.getByLabel('Message').fill(question)
    await page.getByLabel('Message').press('Enter')
  }
  const breaking = { model: model({ exception: { after: 5, kind: 'modelStreamErrorException' } }) }
  for (const [index, architecture] of ARCHITECTURES.entries()) {
    const turn = turns.nth(index)
    await page.getByText(architecture, { exact: true }).first().click()
    await faults.plan(breaking)
    await ask(`Question ${index + 1}`)
    await expect(turn).toContainText('model_unavailable while streaming')
    await expect(turn).toContainText('one two')

    await faults.forget()
    await faults.plan(quick('A whole ', 'answer'))
    await turn.getByRole('button', { name: 'Try again' }).click()
    await expect(turn.getByRole('button', { name: 'Regenerate' })).toBeVisible()
    await expect(turn).toContainText('A whole answer')
    await expect(turn).not.toContainText('one two')
    await expect(turns).toHaveCount(index + 1)
  }
  await faults.plan(breaking)
  await ask('Question 4')
  await expect(turns.nth(3).getByRole('button', { name: 'Try again' })).toBeVisible()
  await faults.plan(quick('A whole ', 'answer'))
  await ask('Question 5')
  await expect(turns.nth(4)).toContainText('A whole answer')
  await expect(turns.nth(3)).toContainText(FIRST_FIVE)

  const answered = (question: number) => [`Question ${question}`, 'A whole answer']
  const [first, second] = [answered(1), [...answered(1), ...answered(2)]]
  const third = [...second, ...answered(3)]
  // Once for the answer that broke, once again; the one that was not asked for again is left out with its question.
  expect(asked).toEqual([
    ['Question 1'],
    ['Question 1'],
    [...first, 'Question 2'],
    [...first, 'Question 2'],
    [...second, 'Question 3'],
    [...second, 'Question 3'],
    [...third, 'Question 4'],
    [...third, 'Question 5'],
  ])
})

/** The conversation as each request holds it, by way of whichever architecture. */
function watchMessages(page: Page): string[][] {
  const all: string[][] = []
  const note = (body: string | null) => {
    const { messages, variables } = JSON.parse(body ?? '{}')
    const found: { content: string }[] | undefined = messages ?? variables?.messages
    if (found) all.push(found.map(({ content }) => content))
  }
  page.on('request', request => request.method() === 'POST' && note(request.postData()))
  page.on('websocket', socket => socket.on('framesent', ({ payload }) => note(String(payload))))
  return all
}
