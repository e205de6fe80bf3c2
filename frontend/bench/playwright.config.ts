import { defineConfig } from '@playwright/test'
import tests from '../playwright.config.ts'

/** `npm run bench`: not a part of the tests, since it takes minutes and asserts nothing. */
export default defineConfig(tests, {
  testDir: '.',
  testMatch: 'drawing.bench.ts',
  outputDir: '../node_modules/.cache/playwright-bench',
  globalSetup: '../e2e/stack.ts',
  workers: 1,
  timeout: 30 * 60_000,
  globalTimeout: 30 * 60_000,
})
