import { defineConfig } from '@playwright/test'

// BASE_URL names the server that serves the built pages and the API. Without it the journeys run on the in-memory fake.
const fakePort = 8399
const baseURL = process.env.BASE_URL ?? `http://127.0.0.1:${fakePort}`

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  timeout: 30_000,
  expect: { timeout: 10_000 },
  workers: 1,
  reporter: [['list']],
  forbidOnly: Boolean(process.env.CI),
  use: {
    baseURL,
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
    locale: 'en-GB',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
        '--no-default-browser-check',
      ],
    },
  },
  ...(process.env.BASE_URL
    ? {}
    : {
        webServer: {
          command: `node e2e/fake/server.mjs ${fakePort}`,
          url: `${baseURL}/health/live`,
          reuseExistingServer: false,
        },
      }),
})
