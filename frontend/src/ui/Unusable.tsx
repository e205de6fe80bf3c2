import { Wordmark } from './Header'

/** The client does not know where the deployment is. */
export function Unusable({ reason }: { reason: string }) {
  return (
    <main className="mx-auto flex min-h-dvh max-w-lg flex-col justify-center gap-4 px-4">
      <Wordmark />
      <h1 className="text-lg font-semibold">The client is not set up</h1>
      <p role="alert" className="border-l-2 border-bad py-0.5 pl-3">
        {reason}
      </p>
      <p className="text-muted">Settings are read when the client is started or built. Start it again afterwards.</p>
    </main>
  )
}
