import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TARGET } from './stack.ts'

/** A row of `probe --json`, as far as it is compared. */
export interface Probed {
  architecture: 'function-url' | 'websocket-api' | 'appsync'
  stop_reason: string
  output_tokens: number
  connect_ms: number
  accepted_ms: number
  first_token_ms: number
  tokens_per_second: number
  total_ms: number
  events: number
  bytes: number
  text: string
}

/** A race by `probe` over the same stack, whose settings are in the environment. */
export async function probe(prompt: string, maxTokens: number): Promise<Probed[]> {
  const options = ['--race', '--json', '--json-text', '--max-tokens', String(maxTokens), prompt]
  // Not in the repository: the settings of `make local` there would come first.
  const { stdout } = await promisify(execFile)(join(TARGET, 'debug/probe'), options, { cwd: tmpdir() })
  return JSON.parse(stdout).results
}
