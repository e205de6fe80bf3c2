import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './index.css'
import { Account } from './auth/account'
import { amplify } from './auth/amplify'
import { onOtherUser } from './auth/on-other-user'
import { readSettings, type Settings } from './settings'
import { App } from './ui/App'
import { Conversation } from './ui/chat/conversation'
import { Race } from './ui/compare/race'
import { applyTheme } from './ui/theme'
import { Unusable } from './ui/Unusable'
import { remote } from './worker/remote'

applyTheme()
const root = document.getElementById('root')
if (root) createRoot(root).render(<StrictMode>{page()}</StrictMode>)

function page() {
  let settings: Settings
  try {
    settings = readSettings(import.meta.env)
  } catch (error) {
    return <Unusable reason={error instanceof Error ? error.message : String(error)} />
  }
  const account = new Account(amplify(settings))
  const session = () => account.session()
  const worker = new Worker(new URL('./worker/streams.worker.ts', import.meta.url), { type: 'module' })
  const { comparing, conversing, release } = remote(worker, settings)
  const race = new Race(comparing, session)
  const conversation = new Conversation(conversing, session)
  onOtherUser(account, () => {
    race.clear()
    conversation.clear()
    release()
  })
  return <App account={account} race={race} conversation={conversation} testUser={testUser(settings)} />
}

/** The user of the stand-ins on this machine. The condition is a constant in a build, which leaves nothing of it. */
function testUser({ userPoolEndpoint }: Settings) {
  if (!import.meta.env.DEV || !userPoolEndpoint) return undefined
  const { hostname } = new URL(userPoolEndpoint)
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return undefined
  return { username: 'testuser', password: 'TestPassword123!' }
}
