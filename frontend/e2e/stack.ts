import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseEnv, promisify } from 'node:util'
import { preview } from 'vite'

const FRONTEND = resolve(import.meta.dirname, '..')
const REPOSITORY = resolve(FRONTEND, '..')
export const TARGET = resolve(REPOSITORY, process.env.CARGO_TARGET_DIR ?? 'target')

export interface Stack {
  /** Where the built page is served. */
  url: string
  /** What the page was built with. */
  settings: NodeJS.Dict<string>
  /** Where plans for faults go, if they were asked for. */
  faults: string | undefined
  close(): Promise<void>
}

/** For the time of one run. Tests find the page at `PAGE_URL`. */
export default async function stack() {
  const { url, settings, close } = await openStack()
  Object.assign(process.env, settings, { PAGE_URL: url })
  return close
}

/** The stand-ins and the built page. What is to go wrong is planned for a whole cloud: with `faults` share it with nobody. */
export async function openStack({ faults = false } = {}): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'tristream-browser-'))
  const { cloud, settings, port } = await localCloud(folder, faults)
  const end = async () => {
    process.off('exit', kill)
    if (cloud.exitCode === null && cloud.kill('SIGTERM')) await once(cloud, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
  // Node runs these for an exit in the middle, too, when nothing can be awaited any more.
  const kill = () => cloud.kill('SIGKILL')
  process.on('exit', kill)

  try {
    const page = await builtPage(settings, join(folder, 'dist'))
    const close = async () => {
      await page.close()
      await end()
    }
    return { url: page.url, settings, faults: faults ? `http://127.0.0.1:${port + 7}` : undefined, close }
  } catch (problem) {
    await end()
    throw problem
  }
}

async function localCloud(folder: string, faults: boolean) {
  // local-cloud writes its settings and logs below the folder that it runs in: a folder of its own keeps them apart
  // from those of `make local`.
  await symlink(join(REPOSITORY, 'terraform'), join(folder, 'terraform'))
  await mkdir(join(folder, 'frontend'))
  const { LLM_URL, LLM_MODEL, BEDROCK_URL, ...environment } = process.env
  const port = await eightFreePorts()
  const own = { LOCAL_PORT: String(port), LOCAL_FAULTS: faults ? 'on' : 'off', BOOTSTRAPS: join(TARGET, 'release') }
  const cloud = spawn(join(TARGET, 'debug/local-cloud'), {
    cwd: folder,
    env: { ...environment, ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await ready(cloud)
  const settings = parseEnv(await readFile(join(folder, 'frontend/.env.local'), 'utf8'))
  return { cloud, settings, port }
}

async function ready(cloud: ChildProcess) {
  const failed = Promise.race([
    once(cloud, 'error').then(([error]) => error.message),
    once(cloud, 'exit').then(() => 'it has ended'),
  ]).then(reason => {
    throw new Error(`local-cloud does not run: ${reason}. \`make bootstraps local-tools\` builds it.`)
  })
  // Read to the end: a full pipe would stop it.
  const lines = createInterface({ input: cloud.stdout as NodeJS.ReadableStream })
  const up = new Promise<void>(done => lines.on('line', line => line === 'ready' && done()))
  failed.catch(() => undefined)
  await Promise.race([up, failed])
}

/** The first of eight ports in a row, below those that the system gives to whoever asks for any. */
async function eightFreePorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const eight = Array.from({ length: 8 }, (_, index) => isFree(first + index))
    if ((await Promise.all(eight)).every(Boolean)) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise(done => {
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}

/** The page as it is deployed, with its policy: a test of the development server would prove nothing about it. */
async function builtPage(settings: NodeJS.Dict<string>, outDir: string) {
  const vite = join(FRONTEND, 'node_modules/vite/bin/vite.js')
  // Playwright has set NODE_ENV to `test`, which would build for development.
  const env = { ...process.env, ...settings, NODE_ENV: 'production' }
  await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', outDir, '--logLevel', 'warn'], {
    cwd: FRONTEND,
    env,
  })
  const server = await preview({
    root: FRONTEND,
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0, strictPort: false },
    logLevel: 'warn',
  })
  const address = server.httpServer.address()
  if (address === null || typeof address === 'string') throw new Error('The page is not served.')
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() }
}
