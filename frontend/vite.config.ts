import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { loadEnv } from 'vite'
import { defineConfig } from 'vitest/config'
import { contentSecurityPolicy } from './content-security-policy.ts'

export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss(), contentSecurityPolicy(loadEnv(mode, '.'))],
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  // The origin that a deployment allows by default.
  preview: { port: 5173 },
  build: { target: 'es2023' },
  test: {
    // Parts that need a document say so themselves: `// @vitest-environment jsdom` on their first line.
    environment: 'node',
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    // A busy machine takes its time. What should never end is still seen to.
    testTimeout: 20_000,
  },
}))
