import { test as base, expect, type Locator, type Page } from '@playwright/test'

export { expect }
export const USER = { username: 'testuser', password: 'TestPassword123!' }
export const ARCHITECTURES = ['function-url', 'websocket-api', 'appsync'] as const

/** How a race can end between lanes that were all done. */
export const OUTCOME = /was first|are level/

/** Amplify says so of every user pool that is not AWS's own. */
const USUAL = /custom Amazon Amazon Cognito User Pool endpoint/

export interface Watch {
  /** What the console may say in a test that provokes it. */
  provokes: RegExp | undefined
  watch: undefined
}

/** Every test ends with an empty console and no violation of the policy. */
export const test = base.extend<Watch>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from this pattern
  baseURL: async ({}, use) => use(process.env.PAGE_URL),
  provokes: [undefined, { option: true }],
  watch: [
    async ({ page, provokes }, use) => {
      const said: string[] = []
      page.on('console', message => {
        if (['error', 'warning'].includes(message.type())) said.push(`${message.text()} ${message.location().url}`)
      })
      page.on('pageerror', error => said.push(String(error)))
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', event => {
          console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`)
        })
      })
      await use(undefined)
      expect(said.filter(line => !USUAL.test(line) && !provokes?.test(line))).toEqual([])
    },
    { auto: true },
  ],
})

export async function fillIn(page: Page, { username, password } = USER) {
  await page.getByLabel('User name or email').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

export async function signIn(page: Page) {
  await page.goto('/')
  await fillIn(page)
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()
}

export function lane(page: Page, architecture: string): Locator {
  return page.getByRole('article', { name: architecture, exact: true })
}

export function answer(page: Page, architecture: string): Locator {
  return page.getByRole('region', { name: `Answer of ${architecture}`, exact: true })
}

/** Presses Run and waits for every lane to be done. */
export async function race(page: Page) {
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  for (const architecture of ARCHITECTURES) {
    await expect(lane(page, architecture).getByText('done', { exact: true })).toBeVisible()
  }
}

interface Arrival {
  ms: number
  event: { type: string; text?: string; stop_reason?: string }
}

/** What the transport noted, from the table of raw events. */
export async function arrivals(page: Page, architecture: string): Promise<Arrival[]> {
  const card = lane(page, architecture)
  await card.getByText('Raw events').click()
  const rows = card.getByRole('region', { name: 'Raw events' }).locator('tbody tr')
  const cells = await rows.evaluateAll(all => all.map(row => [...row.children].map(cell => cell.textContent ?? '')))
  // Between the events stands where the answer was taken up again.
  const events = cells.filter(([, , event]) => event?.startsWith('{'))
  return events.map(([ms, , event]) => ({ ms: Number(ms), event: JSON.parse(event ?? '') }))
}
