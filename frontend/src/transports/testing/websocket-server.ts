import type { WebSocket as Peer } from 'ws'
import { type SocketServer, socketServer } from './servers'

/** What the server does with a message. */
export type OnMessage = (message: Record<string, unknown>, send: (value: unknown) => void, peer: Peer) => void

/** As the API does: which of the offered subprotocols is spoken. */
export const choose = (offered: string[]): string | undefined => offered.find(name => name === 'llm-stream.v1')

/** The WebSocket API as far as a client sees it. */
export async function websocketServer(
  onMessage: OnMessage,
  chosen = choose,
): Promise<{ server: SocketServer; url: string }> {
  const server = await socketServer(chosen, peer => {
    const send = (value: unknown) => peer.send(typeof value === 'string' ? value : JSON.stringify(value))
    peer.on('message', data => onMessage(JSON.parse(String(data)), send, peer))
  })
  return { server, url: `ws://${server.host}/live` }
}
