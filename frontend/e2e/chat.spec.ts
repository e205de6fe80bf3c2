import type { Page } from '@playwright/test'
import { ARCHITECTURES, expect, signIn, test } from './page.ts'

async function ask(page: Page, question: string) {
  await page.getByLabel('Message').fill(question)
  await page.getByLabel('Message').press('Enter')
}

test('each question is sent with the conversation so far, whichever architecture answers', async ({ page }) => {
  await signIn(page)
  await page.getByRole('tab', { name: 'Chat' }).click()
  const turns = page.getByRole('article', { name: 'Question and answer' })
  for (const [index, architecture] of ARCHITECTURES.entries()) {
    await page.getByText(architecture, { exact: true }).first().click()
    await ask(page, `Question ${index + 1}`)
    await expect(turns).toHaveCount(index + 1)
    await expect(turns.nth(index).getByText(/tokens\/s/)).toBeVisible()
    await expect(turns.nth(index)).toContainText(`You wrote “Question ${index + 1}”`)
  }

  await page.getByText('function-url', { exact: true }).first().click()
  const asked = page.waitForRequest(
    request => request.url() === process.env.VITE_FUNCTION_URL && request.method() === 'POST',
  )
  await ask(page, 'Question 4')
  const { messages } = (await asked).postDataJSON() as { messages: { role: string; content: string }[] }
  expect(messages.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
  ])
  for (const index of [1, 2, 3]) {
    expect(messages[2 * index - 2]?.content).toBe(`Question ${index}`)
    expect(messages[2 * index - 1]?.content).toContain(`You wrote “Question ${index}”`)
  }
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(turns.nth(3).getByText('stopped', { exact: true })).toBeVisible()
})

test('stopping an answer does not send what has been typed meanwhile', async ({ page }) => {
  await signIn(page)
  await page.getByRole('tab', { name: 'Chat' }).click()
  await ask(page, 'First')
  const turns = page.getByRole('article', { name: 'Question and answer' })
  await expect(turns).toContainText('This is a local')
  await page.getByLabel('Message').fill('Second')
  const told = page.waitForResponse(response => response.request().method() === 'DELETE')
  await page.getByRole('button', { name: 'Stop' }).click()
  expect((await told).status()).toBe(204)
  await expect(turns.getByText('stopped', { exact: true })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Send' })).toBeEnabled()
  await expect(page.getByLabel('Message')).toHaveValue('Second')
  await expect(turns).toHaveCount(1)
})
