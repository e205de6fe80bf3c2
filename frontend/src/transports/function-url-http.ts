/** The requests of function-url: one begins an answer, one takes it up again, one stops it. */

import { decodeEvent } from '../contract/event'
import { requestBody } from './request-body'
import { type ChatRequest, type Session, TransportError } from './transport'

export function post(url: string, request: ChatRequest, session: Session, signal: AbortSignal): Promise<Response> {
  const headers = { Accept: 'text/event-stream', 'Content-Type': 'application/json' }
  const body = JSON.stringify(requestBody(request))
  return ask(url, session, { method: 'POST', headers, body, signal }, true)
}

export function get(
  url: string,
  streamId: string,
  after: number | undefined,
  session: Session,
  signal: AbortSignal,
): Promise<Response> {
  const address = addressOf(url, streamId)
  if (after !== undefined) address.searchParams.set('after', String(after))
  return ask(address.href, session, { method: 'GET', headers: { Accept: 'text/event-stream' }, signal })
}

export function del(url: string, streamId: string, session: Session): Promise<Response> {
  return ask(addressOf(url, streamId).href, session, { method: 'DELETE' })
}

function addressOf(url: string, streamId: string): URL {
  return new URL(`/streams/${encodeURIComponent(streamId)}`, url)
}

async function ask(url: string, session: Session, init: RequestInit, perhapsSent = false): Promise<Response> {
  try {
    return await fetch(url, {
      ...init,
      headers: { Authorization: `Bearer ${session.accessToken}`, ...init.headers },
      cache: 'no-store',
      credentials: 'omit',
    })
  } catch (cause) {
    const message = 'The Function URL could not be reached, or does not allow requests from this page (CORS).'
    throw new TransportError({ phase: 'connect', code: 'network', message, retryable: true, perhapsSent, cause })
  }
}

/** Before the stream an error is a status, with the contract's event as its body, unless AWS itself refused. */
export async function refusal(response: Response): Promise<TransportError> {
  const { status } = response
  const event = await response
    .json()
    .then(decodeEvent)
    .catch(() => undefined)
  if (event?.type === 'error') return TransportError.refusal(event)
  const code = status === 429 ? 'rate_limited' : status === 401 || status === 403 ? 'unauthorized' : 'internal'
  const message = `The Function URL answered with status ${status} and no event: AWS has refused the request itself.`
  return new TransportError({ phase: 'request', code, message, retryable: status === 429 || status >= 500 })
}
