/** What one answer costs, by the bill's own units, as far as a client can count them. */

import type { Lane } from '../lane/reducer'
import type { Architecture } from '../transports/transport'
import type { Prices } from './prices'

export interface CostItem {
  /** What is billed, such as `messages of 32 KB`. */
  operation: string
  quantity: number
  dollars: number
}

export interface Cost {
  items: CostItem[]
  dollars: number
  /** US dollars for 1,000 answers like this one, without the model. */
  perThousand: number
}

const WEBSOCKET_UNIT = 32 * 1024
const APPSYNC_UNIT = 5 * 1024

/**
 * Undefined unless the answer is whole and its times are known: a function may go on after a client that has stopped,
 * and nobody tells it for how long. Counts a connection for this answer alone, as in a comparison; the functions are billed for the time that
 * the contract's `timing` tells.
 */
export function cost(architecture: Architecture, lane: Lane, prices: Prices): Cost | undefined {
  if (lane.phase !== 'done' || lane.foundAgain || lane.startedAt === undefined || lane.endedAt === undefined)
    return undefined
  const seconds = (lane.timing?.total_ms ?? lane.endedAt - lane.startedAt) / 1000
  const connectedMinutes = (lane.endedAt - (lane.connectedAt ?? lane.startedAt)) / 60_000
  const items = [
    ...operations(architecture, lane, connectedMinutes, prices),
    ...streamLog(seconds, prices),
    {
      operation: `GB-seconds of Lambda (${prices.lambdaMemoryMb} MB)`,
      quantity: (prices.lambdaMemoryMb / 1024) * seconds,
      dollars: (prices.lambdaMemoryMb / 1024) * seconds * prices.lambdaGbSecond,
    },
  ]
  const dollars = items.reduce((sum, item) => sum + item.dollars, 0)
  return { items, dollars, perThousand: dollars * 1000 }
}

function operations(architecture: Architecture, lane: Lane, connectedMinutes: number, prices: Prices): CostItem[] {
  switch (architecture) {
    case 'function-url':
      return [perMillion('Lambda requests', 1, prices.lambdaRequests)]
    case 'websocket-api':
      return [
        // The request is one message: a client sends none of more than 32 KB.
        perMillion('messages of 32 KB', 1 + units(lane, WEBSOCKET_UNIT), prices.websocketMessages),
        perMillion('minutes connected', connectedMinutes, prices.websocketConnectionMinutes),
        // The authorizer, $connect, stream and $disconnect.
        perMillion('Lambda requests', 4, prices.lambdaRequests),
      ]
    case 'appsync':
      return [
        // startStream, the subscription, and one publishToken for each event.
        perMillion('operations', 2 + lane.messages, prices.appsyncOperations),
        perMillion('updates of 5 KB', units(lane, APPSYNC_UNIT), prices.appsyncUpdates),
        perMillion('minutes connected', connectedMinutes, prices.appsyncConnectionMinutes),
        // Sent, received and deleted.
        perMillion('SQS requests', 3, prices.sqsRequests),
        perMillion('Lambda requests', 2, prices.lambdaRequests),
      ]
  }
}

/**
 * A chunk, and a look whether the answer was stopped, every 250 ms; the lease every 5 s; the claim, which is a transaction of
 * two items, and the end of both.
 */
function streamLog(seconds: number, prices: Prices): CostItem[] {
  const often = Math.ceil(seconds * 4)
  return [
    perMillion('writes of the stream log', 4 + often + Math.floor(seconds / 5) + 2, prices.dynamodbWrites),
    perMillion('reads of the stream log', often, prices.dynamodbReads),
  ]
}

/** Messages are billed in units; those beyond what the lane keeps count as one each. */
function units(lane: Lane, size: number): number {
  const kept = lane.events.reduce((sum, { bytes }) => sum + Math.max(1, Math.ceil(bytes / size)), 0)
  return kept + lane.messages - lane.events.length
}

function perMillion(operation: string, quantity: number, price: number): CostItem {
  return { operation, quantity, dollars: (quantity * price) / 1e6 }
}
