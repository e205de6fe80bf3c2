import type { ChatRequest } from './transport'

/** The contract's request, with the names that it has as JSON. */
export function requestBody(request: ChatRequest): Record<string, unknown> {
  return {
    stream_id: request.streamId,
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    ...(request.system !== undefined && { system: request.system }),
    ...(request.maxTokens !== undefined && { max_tokens: request.maxTokens }),
  }
}

const encoder = new TextEncoder()

/** What a text is on the wire. */
export function bytesOf(text: string): number {
  return encoder.encode(text).length
}
