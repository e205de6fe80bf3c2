import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket as Peer, WebSocketServer } from 'ws'

export interface Loopback {
  /** `127.0.0.1:port`. */
  host: string
  /** How many answers, or WebSockets, are open now. */
  connections(): number
  close(): Promise<void>
}

type OnRequest = (request: IncomingMessage, body: string, response: ServerResponse) => void

/** A real server: how a stream is cut into chunks matters. */
export async function httpServer(onRequest: OnRequest): Promise<Loopback> {
  // Not the sockets: after an aborted request Node's fetch opens a spare one.
  let answering = 0
  const server = createServer((request, response) => {
    answering++
    response.once('close', () => answering--)
    let body = ''
    request.setEncoding('utf8')
    request.on('data', part => {
      body += part
    })
    request.on('end', () => onRequest(request, body, response))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => answering,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

export interface SocketServer extends Loopback {
  /** What the clients have offered, one list each. */
  offers: string[][]
  /** The server's ends of the WebSockets that are open now. */
  peers: Set<Peer>
}

/** Refuses the upgrade when `choose` gives nothing. */
export async function socketServer(
  choose: (offered: string[]) => string | undefined,
  onConnection: (peer: Peer, offered: string[]) => void,
  onRequest: OnRequest = (_, __, response) => response.writeHead(404).end(),
): Promise<SocketServer> {
  const offers: string[][] = []
  const http = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', part => {
      body += part
    })
    request.on('end', () => onRequest(request, body, response))
  })
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: offered => choose([...offered]) ?? false })
  http.on('upgrade', (request, socket, head) => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim())
    offers.push(offered)
    if (choose(offered) === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    } else {
      sockets.handleUpgrade(request, socket, head, peer => onConnection(peer, offered))
    }
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  return {
    offers,
    peers: sockets.clients,
    host: `127.0.0.1:${(http.address() as AddressInfo).port}`,
    connections: () => sockets.clients.size,
    close: () =>
      new Promise(resolve => {
        for (const client of sockets.clients) client.terminate()
        http.closeAllConnections()
        http.close(() => resolve())
      }),
  }
}

export const golden = (name: string): string =>
  readFileSync(new URL(`../../../../protocol/${name}`, import.meta.url), 'utf8')
