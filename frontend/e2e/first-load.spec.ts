import { gzipSync } from 'node:zlib'
import { expect, test } from './page.ts'

/** Of compressed JavaScript, in kB of 1000 bytes. */
const BUDGET = 220

test('what is loaded before anybody signs in, its worker included, stays within its budget', async ({ page }) => {
  const scripts = new Map<string, Promise<Buffer>>()
  page.on('response', response => {
    const { pathname } = new URL(response.url())
    if (pathname.endsWith('.js')) scripts.set(pathname, response.body())
  })
  await page.goto('/', { waitUntil: 'networkidle' })
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  let sum = 0
  for (const [path, body] of scripts) {
    const size = gzipSync(await body).length / 1000
    sum += size
    console.log(`${size.toFixed(1).padStart(6)} kB ${path}`)
  }
  console.log(`${sum.toFixed(1).padStart(6)} kB of JavaScript at first load, compressed`)
  expect([...scripts.keys()].join()).toContain('worker')
  expect(sum).toBeLessThan(BUDGET)
})

test('the built page may connect to the addresses of its settings, and to nothing else', async ({ page }) => {
  await page.goto('/')
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content')
  const [, allowed = ''] = /connect-src ([^;]*)/.exec(policy ?? '') ?? []
  const settings = Object.entries(process.env).filter(([key]) => key.startsWith('VITE_'))
  const origins = settings.flatMap(([, value = '']) => /^(https?|wss?):\/\/[^/]+/.exec(value)?.[0] ?? [])
  expect(new Set(origins).size).toBeGreaterThan(3)
  expect(allowed.split(' ').toSorted()).toEqual([...new Set(origins)].toSorted())
})
