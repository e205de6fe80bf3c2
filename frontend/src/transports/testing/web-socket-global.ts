import { WebSocket } from 'ws'

// Node 20 has no WebSocket of its own. The package's one has the browser's interface.
Object.assign(globalThis, { WebSocket })
