import { exported } from './csv.ts'
import { ARCHITECTURES, answer, arrivals, expect, lane, OUTCOME, race, signIn, test } from './page.ts'

test('three lanes stream at once and end with the same text', async ({ page }) => {
  await signIn(page)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  for (const architecture of ARCHITECTURES) {
    await expect(lane(page, architecture).getByText('streaming', { exact: true })).toBeVisible()
    await expect(answer(page, architecture)).toContainText('This is a local stand-in')
  }
  // All three are on their way here: none has waited for another, and none came in one piece.
  await expect(page.getByRole('article', { name: /./ }).getByText('done', { exact: true })).toHaveCount(0)
  for (const architecture of ARCHITECTURES) {
    await expect(lane(page, architecture).getByText('done', { exact: true })).toBeVisible()
  }
  await expect(page.getByRole('tabpanel', { name: 'Compare' }).getByText(OUTCOME)).toBeVisible()

  const texts = new Set<string>()
  for (const architecture of ARCHITECTURES) {
    const all = await arrivals(page, architecture)
    const deltas = all.filter(({ event }) => event.type === 'delta')
    const [first, last] = [deltas.at(0)?.ms ?? 0, deltas.at(-1)?.ms ?? 0]
    expect(first, `${architecture}: the model waits 350 ms before its first token`).toBeGreaterThan(300)
    expect(last - first, `${architecture}: first token long before the last`).toBeGreaterThan(2 * first)
    // The least often is four times a second, by appsync, for more than two seconds.
    expect(deltas.length).toBeGreaterThan(8)
    expect(all.at(-1)?.event.type).toBe('done')
    texts.add(deltas.map(({ event }) => event.text).join(''))
  }
  expect(texts.size).toBe(1)
  const [shown, ...others] = await Promise.all(ARCHITECTURES.map(id => answer(page, id).textContent()))
  expect(shown?.length).toBeGreaterThan(500)
  for (const other of others) expect(other).toBe(shown)
})

test('stopping ends every lane on the wire, and the next race is whole again', async ({ page }) => {
  await signIn(page)
  const closed: Promise<unknown>[] = []
  page.on('websocket', socket => closed.push(socket.waitForEvent('close')))
  const told = page.waitForResponse(response => response.request().method() === 'DELETE')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  for (const architecture of ARCHITECTURES) {
    await expect(lane(page, architecture).getByText('streaming', { exact: true })).toBeVisible()
  }
  await page.locator('form').getByRole('button', { name: 'Stop' }).click()
  for (const architecture of ARCHITECTURES) {
    await expect(lane(page, architecture).getByText('stopped', { exact: true })).toBeVisible()
    await expect(answer(page, architecture)).toContainText('This is a local')
  }
  expect((await told).status()).toBe(204)
  expect(closed).toHaveLength(2)
  await Promise.all(closed)
  const stopped = await Promise.all(ARCHITECTURES.map(id => answer(page, id).textContent()))

  await race(page)
  const whole = await Promise.all(ARCHITECTURES.map(id => answer(page, id).textContent()))
  expect(new Set(whole).size).toBe(1)
  for (const [index, text] of stopped.entries()) expect(text?.length).toBeLessThan(whole[index]?.length ?? 0)
})

test('a race is exported as CSV with a line per lane, and without the prompt', async ({ page }) => {
  await signIn(page)
  const prompt = 'What does a heron eat?'
  await page.getByLabel('Prompt', { exact: true }).fill(prompt)
  await race(page)
  const { name, csv, runs } = await exported(page)
  expect(name).toBe('tristream.csv')
  expect(runs.map(row => row.architecture).sort()).toEqual([...ARCHITECTURES].sort())
  for (const row of runs) {
    expect(row).toMatchObject({ outcome: 'done', gaps: '0', duplicates: '0' })
    expect(Number(row.first_token_ms)).toBeGreaterThan(300)
    expect(Number(row.total_ms)).toBeGreaterThan(Number(row.first_token_ms))
  }
  expect(csv).not.toContain('heron')
})

test.describe(() => {
  test.use({ provokes: /status of 401|WebSocket connection to/ })

  test('a refused token fails every lane with its code, and signing in again goes on', async ({ page }) => {
    await signIn(page)
    await page.evaluate(() => {
      const key = Object.keys(sessionStorage).find(name => name.endsWith('.accessToken')) ?? ''
      // The claims stay as they are: what is refused is the signature, and by the server alone.
      const [head, claims, signature = ''] = (sessionStorage.getItem(key) ?? '').split('.')
      sessionStorage.setItem(key, [head, claims, [...signature].reverse().join('')].join('.'))
    })
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    for (const architecture of ARCHITECTURES) {
      await expect(lane(page, architecture).getByText('failed', { exact: true })).toBeVisible()
      // A browser does not tell a page why a WebSocket was refused.
      const reason = architecture === 'websocket-api' ? 'The sign-in may have expired' : 'unauthorized'
      await expect(answer(page, architecture)).toContainText(reason)
      await expect(answer(page, architecture).getByRole('button', { name: 'Sign in again' })).toBeVisible()
    }
    await answer(page, 'websocket-api').getByRole('button', { name: 'Sign in again' }).click()
    await expect(page.getByRole('alert')).toHaveText('Your session has expired. Sign in again to go on.')
    await signIn(page)
    await race(page)
  })
})
