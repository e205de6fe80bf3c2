import { transports } from '../transports/transport'
import { keptWebsocketApi } from '../transports/websocket-kept'
import type { FromWorker, Port, ToWorker } from './messages'
import { serve } from './serve'

serve(self as unknown as Port<FromWorker, ToWorker>, settings => {
  const comparing = transports(settings)
  const kept = settings.websocketUrl ? keptWebsocketApi(settings.websocketUrl) : undefined
  return {
    comparing,
    conversing: { ...comparing, ...(kept && { 'websocket-api': kept.transport }) },
    release: () => kept?.close(),
  }
})
