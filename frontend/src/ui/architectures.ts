import type { Architecture } from '../transports/transport'

interface Description {
  /** What it is, in one line. */
  is: string
  /** Classes are spelled out in full: Tailwind finds them by reading the sources. */
  text: string
  fill: string
  stroke: string
  background: string
  /** Colour alone must not tell two lines apart. */
  dash: string
}

export const DESCRIPTIONS: Record<Architecture, Description> = {
  'function-url': {
    is: 'Lambda Function URL, one streamed HTTP response',
    text: 'text-function-url',
    fill: 'fill-function-url',
    stroke: 'stroke-function-url',
    background: 'bg-function-url',
    dash: '',
  },
  'websocket-api': {
    is: 'API Gateway WebSocket API, a message per piece',
    text: 'text-websocket-api',
    fill: 'fill-websocket-api',
    stroke: 'stroke-websocket-api',
    background: 'bg-websocket-api',
    dash: '7 3',
  },
  appsync: {
    is: 'AppSync subscription, fed by SQS and a worker',
    text: 'text-appsync',
    fill: 'fill-appsync',
    stroke: 'stroke-appsync',
    background: 'bg-appsync',
    dash: '2 3',
  },
}
