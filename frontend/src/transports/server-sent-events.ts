import { createParser } from 'eventsource-parser'
import { parseEvent } from '../contract/event'
import { bytesOf } from './request-body'
import type { Received } from './transport'

/** Feeds chunks of a `text/event-stream`, cut anywhere, and hears of each event that they complete. */
export function serverSentEvents(streamId: string, onReceived: (received: Received) => void) {
  const decoder = new TextDecoder()
  let at = 0
  const parser = createParser({
    // The parser hands out no raw text: sizes are those of the contract's form, `id: n`, `data: ...` and a blank line.
    onEvent: ({ id, data }) => {
      const bytes = (id === undefined ? 0 : bytesOf(`id: ${id}\n`)) + bytesOf(`data: ${data}\n\n`)
      onReceived({ at, bytes, event: parseEvent(data) })
    },
    onComment: comment => {
      onReceived({ at, bytes: bytesOf(`: ${comment}\n\n`), event: { type: 'ping', stream_id: streamId } })
    },
  })
  return (chunk: Uint8Array, arrivedAt: number) => {
    at = arrivedAt
    parser.feed(decoder.decode(chunk, { stream: true }))
  }
}
