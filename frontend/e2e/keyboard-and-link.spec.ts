import type { Page } from '@playwright/test'
import { ARCHITECTURES, expect, lane, OUTCOME, race, signIn, test, USER } from './page.ts'

/** Presses Tab until the control has the focus: as many times as there can be controls before it. */
async function tabTo(page: Page, role: 'button' | 'textbox', name: string) {
  const control = page.getByRole(role, { name, exact: true })
  await expect(control).toBeVisible()
  for (let presses = 0; presses < 40; presses++) {
    if (await control.evaluate(element => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not come to ${name}.`)
}

test('a race needs no mouse', async ({ page }) => {
  await page.goto('/')
  await tabTo(page, 'textbox', 'User name or email')
  await page.keyboard.type(USER.username)
  await page.keyboard.press('Tab')
  await page.keyboard.type(USER.password)
  await page.keyboard.press('Enter')
  await tabTo(page, 'textbox', 'Prompt')
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('Why?')
  await tabTo(page, 'button', 'Run')
  await page.keyboard.press('Enter')
  for (const architecture of ARCHITECTURES) {
    await expect(lane(page, architecture).getByText('streaming', { exact: true })).toBeVisible()
  }
  await tabTo(page, 'button', 'Stop all')
  await page.keyboard.press('Enter')
  for (const architecture of ARCHITECTURES) {
    await expect(lane(page, architecture).getByText('stopped', { exact: true })).toBeVisible()
  }
  await tabTo(page, 'button', 'Run')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('tabpanel', { name: 'Compare' }).getByText(OUTCOME)).toBeVisible()
})

test('the link shows the result to whoever opens it, without the prompt', async ({ page, context, browser }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await signIn(page)
  await page.getByLabel('Prompt', { exact: true }).fill('What does a heron eat?')
  await race(page)
  const outcome = await page.getByRole('tabpanel', { name: 'Compare' }).getByText(OUTCOME).textContent()
  await page.getByRole('button', { name: 'Copy link' }).click()
  await expect(page.getByRole('log')).toContainText('Copied')
  const link = await page.evaluate(() => navigator.clipboard.readText())
  expect(decodeURIComponent(link)).not.toContain('heron')

  const elsewhere = await browser.newContext()
  const other = await elsewhere.newPage()
  await other.goto(link)
  const shared = other.getByRole('region', { name: 'A shared result' })
  await expect(shared.getByText(OUTCOME)).toHaveText(outcome ?? '')
  await expect(shared.getByRole('row', { name: /^total/ }).getByRole('cell')).toHaveText([/ s/, / s/, / s/])
  await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  expect(await other.content()).not.toContain('heron')
  await elsewhere.close()
})
