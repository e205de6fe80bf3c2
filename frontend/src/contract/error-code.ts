/** The contract's error codes, in the order of its table. */
export const ERROR_CODES = [
  'invalid_request',
  'unauthorized',
  'payload_too_large',
  'rate_limited',
  'conflict',
  'not_found',
  'model_throttled',
  'model_unavailable',
  'model_error',
  'model_timeout',
  'deadline_exceeded',
  'truncated',
  'interrupted',
  'internal',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** Also what only a client can notice: no way to the server, and a server that does not keep to the contract. */
export type FailureCode = ErrorCode | 'network' | 'protocol'

export function isErrorCode(code: unknown): code is ErrorCode {
  return (ERROR_CODES as readonly unknown[]).includes(code)
}

/** What the person in front of the screen can do about it, beyond what the contract's own message says. */
export const WHAT_TO_DO: Record<FailureCode, string> = {
  invalid_request: 'Change the request: the message names the field and the rule.',
  unauthorized: 'If a new token is refused as well, check that page and services are of one deployment.',
  payload_too_large: 'Shorten the prompt, or begin a new conversation.',
  rate_limited:
    'If it stays, raise the limit: the caps per user, the concurrency of the function, or the throttling of the API.',
  conflict:
    'It may still be running, or be the answer to another request: nothing was paid twice. A new try gets an id of its own.',
  not_found:
    'An answer is kept for a day, and found by its owner alone. Otherwise check the address in the settings: its path must be /.',
  model_throttled: 'If it stays, ask for a higher quota of the model in Bedrock.',
  model_unavailable: 'If it stays, look whether Bedrock is disturbed in the region, or deploy with another model.',
  model_error: 'Change the prompt, or check that the account has access to the model.',
  model_timeout: 'A model that was idle may need a minute for its first token.',
  deadline_exceeded: 'Ask for a shorter answer, or raise the timeout of the function.',
  truncated: 'If it stays, ask for a shorter answer.',
  interrupted: 'It was not generated a second time by itself, since every time costs.',
  internal: 'If it stays, look at the log of the function.',
  network: 'Check the connection, the address in the settings, and whether the services run. Then try again.',
  protocol: 'Try again. If it stays, client and server may be of different versions.',
}

/** Of a gap, whose code is `protocol` too, though no version is to blame. */
export const LOST = 'It was lost on its way here. Try again.'
