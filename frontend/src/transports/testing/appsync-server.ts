import type { WebSocket as Peer } from 'ws'
import { appsync } from '../appsync'
import { STREAM_ID } from './collect'
import { type SocketServer, socketServer } from './servers'

export type Json = Record<string, unknown>
export type Answer = [status: number, answer: unknown]

/** Everything that is selected; what an event does not have is null. */
const NULLS = Object.fromEntries(
  'sessionId owner type seq text model stopReason inputTokens outputTokens firstTokenMs totalMs code message retryable'
    .split(' ')
    .map(name => [name, null]),
)
export const fieldsOf = (fields: Json): Json => ({ ...NULLS, owner: 'ann', ...fields })
export const payload = (fields: Json) => ({ data: { onTokenReceived: fieldsOf(fields) } })

/** An event of the contract as AppSync has it. */
export function graphql(event: Json): Json {
  const { stream_id, type, seq, text, model, stop_reason, usage, timing, code, message, retryable } = event as Record<
    string,
    never
  >
  const fields = { sessionId: stream_id, type: String(type).toUpperCase(), seq, text, model, stopReason: stop_reason }
  const { input_tokens: inputTokens, output_tokens: outputTokens } = (usage ?? {}) as Json
  const { first_token_ms: firstTokenMs, total_ms: totalMs } = (timing ?? {}) as Json
  return { ...fields, inputTokens, outputTokens, firstTokenMs, totalMs, code, message, retryable }
}

export const refused = (errorType: string, errorInfo: Json = { retryable: false }): Answer => [
  200,
  { data: null, errors: [{ errorType, message: 'Refused.', errorInfo }] },
]

/** AppSync as far as a client sees it; each part can be told to go wrong. */
export interface Behaviour {
  onInit?: (peer: Peer, send: (frame: Json) => void) => void
  onStart?: (id: unknown, send: (frame: Json) => void) => void
  /** What `startStream` answers, and what is published then. */
  mutation?: (body: Json, publish: (event: Json) => void, peer: Peer) => Answer
  /** What the log has behind `after`; an answer as it is where it refuses. Without it the log is off. */
  log?: (after: number | undefined, publish: (event: Json) => void) => { events: Json[]; ended?: boolean } | Answer
  cancel?: (publish: (event: Json) => void) => Answer
}

export const started: Answer = [200, { data: { startStream: { sessionId: STREAM_ID } } }]
export const cancelled: Answer = [200, { data: { cancelStream: { sessionId: STREAM_ID } } }]

export async function appsyncServer(behaviour: Behaviour) {
  const frames: Json[] = []
  const steps: string[] = []
  const tokens: unknown[] = []
  let current: { peer: Peer; id: unknown } | undefined
  const server: SocketServer = await socketServer(
    offered => offered.find(name => name === 'graphql-ws'),
    peer => {
      const send = (frame: Json) => peer.send(JSON.stringify(frame))
      peer.on('message', data => {
        const frame = JSON.parse(String(data))
        frames.push(frame)
        steps.push(frame.type)
        if (frame.type === 'connection_init') {
          if (behaviour.onInit) behaviour.onInit(peer, send)
          else send({ type: 'connection_ack', payload: { connectionTimeoutMs: 300_000 } })
        } else if (frame.type === 'start') {
          current = { peer, id: frame.id }
          send({ type: 'ka' })
          if (behaviour.onStart) behaviour.onStart(frame.id, send)
          else send({ type: 'start_ack', id: frame.id })
        }
      })
    },
    (incoming, text, response) => {
      const body: Json & { query: string; variables: Json } = JSON.parse(text)
      const { peer, id } = current ?? {}
      const publish = (event: Json) =>
        peer?.send(JSON.stringify({ type: 'data', id, payload: payload(graphql(event)) }))
      const answer = (): Answer => {
        if (body.query.includes('streamEvents')) {
          steps.push(`log behind ${body.variables.after ?? 'nothing'}`)
          const logged = behaviour.log?.(body.variables.after as number | undefined, publish) ?? refused('not_found')
          if (Array.isArray(logged)) return logged
          const events = logged.events.map(event => fieldsOf(graphql(event)))
          return [200, { data: { streamEvents: { events, ended: logged.ended ?? false } } }]
        }
        if (body.query.includes('cancelStream')) {
          steps.push('cancel')
          return behaviour.cancel?.(publish) ?? refused('not_found')
        }
        steps.push('mutation')
        return behaviour.mutation?.(body, publish, peer as Peer) ?? started
      }
      tokens.push(incoming.headers.authorization)
      const [status, json] = answer()
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(json))
    },
  )
  const transport = appsync(`http://${server.host}/graphql`, `ws://${server.host}/graphql`)
  return { server, frames, steps, tokens, transport }
}
