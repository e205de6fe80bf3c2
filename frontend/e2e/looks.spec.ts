import type { Page } from '@playwright/test'
import { expectAccessible } from './accessible.ts'
import { ARCHITECTURES, answer, expect, lane, OUTCOME, race, signIn, test } from './page.ts'

const IMAGES = new URL('../../docs/images/', import.meta.url).pathname

// An analysis of axe takes seconds on a small machine.
test.setTimeout(120_000)

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme })

    test('nothing for axe to find, from sign-in to a finished race and a chat', async ({ page }) => {
      await page.goto('/')
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
      await expectAccessible(page, 'sign-in')
      await signIn(page)
      await expectAccessible(page, 'idle')
      await race(page)
      await expect(page.getByRole('tabpanel', { name: 'Compare' }).getByText(OUTCOME)).toBeVisible()
      await expectAccessible(page, 'finished race')
      // Only on demand: numbers differ from run to run, and tests must leave no changes behind.
      if (process.env.UPDATE_SCREENSHOTS === '1') {
        await page.screenshot({ path: `${IMAGES}race-${colorScheme}.png`, fullPage: true, animations: 'disabled' })
      }
      await page.getByRole('tab', { name: 'Chat' }).click()
      await expectAccessible(page, 'empty chat')
      await page.getByLabel('Message').fill('Why?')
      await page.getByLabel('Message').press('Enter')
      await expect(page.getByRole('article').getByText(/tokens\/s/)).toBeVisible()
      await expectAccessible(page, 'chat')
    })
  })
}

test.describe(() => {
  test.use({ colorScheme: 'dark' })

  test('the system chooses the colours, until the switch does, also after a reload', async ({ page }) => {
    await signIn(page)
    expect(await background(page)).toBeLessThan(64)
    await page.getByLabel('Colours').selectOption('Light')
    await expect.poll(() => background(page)).toBeGreaterThan(192)
    await page.reload()
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()
    await expect(page.getByLabel('Colours')).toHaveValue('light')
    expect(await background(page)).toBeGreaterThan(192)
    await page.getByLabel('Colours').selectOption('Auto')
    await expect.poll(() => background(page)).toBeLessThan(64)
  })
})

/** How bright the page is, from 0 to 255. Painted on a canvas: styles may be in any colour space. */
async function background(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d')
    if (!canvas) throw new Error('no canvas')
    canvas.fillStyle = 'white'
    canvas.fillRect(0, 0, 1, 1)
    for (const element of [document.documentElement, document.body]) {
      canvas.fillStyle = getComputedStyle(element).backgroundColor
      canvas.fillRect(0, 0, 1, 1)
    }
    const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data
    return (red + green + blue) / 3
  })
}

test.describe(() => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true })

  test('on a phone the lanes are tabs, and nothing is wider than the screen', async ({ page }) => {
    const width = () => page.evaluate(() => document.documentElement.scrollWidth)
    await page.goto('/')
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    expect(await width()).toBe(390)
    await signIn(page)
    expect(await width()).toBe(390)
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await expect(page.getByRole('tabpanel', { name: 'Compare' }).getByText(OUTCOME)).toBeVisible({
      timeout: 20_000,
    })
    for (const architecture of ARCHITECTURES) {
      await page.getByRole('tab', { name: architecture }).click()
      await expect(lane(page, architecture).getByText('done', { exact: true })).toBeVisible()
      await expect(answer(page, architecture)).toContainText('This is a local stand-in')
      await expect(page.getByRole('article')).toHaveCount(1)
      expect(await width()).toBe(390)
    }
    await expectAccessible(page, 'finished race on a phone')
    await page.getByRole('tab', { name: 'Chat' }).click()
    await page.getByLabel('Message').fill('Why?')
    await page.getByRole('button', { name: 'Send' }).click()
    await expect(page.getByRole('article').getByText(/tokens\/s/)).toBeVisible()
    expect(await width()).toBe(390)
    await expectAccessible(page, 'chat on a phone')
  })
})
