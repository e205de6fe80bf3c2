import { defineConfig } from '@playwright/test'
import { chromium } from './e2e/chromium.ts'

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'node_modules/.cache/playwright',
  globalSetup: './e2e/stack.ts',
  fullyParallel: true,
  // More at once would make a small machine's first tokens late, and the numbers in a picture are to be good ones.
  workers: process.env.UPDATE_SCREENSHOTS === '1' ? 1 : 2,
  forbidOnly: Boolean(process.env.CI),
  // A retry would hide what only fails sometimes.
  retries: 0,
  timeout: 60_000,
  globalTimeout: 10 * 60_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium(),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})
