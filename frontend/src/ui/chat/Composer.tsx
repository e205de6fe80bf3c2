import { type KeyboardEvent, type SubmitEvent, useState } from 'react'

interface Props {
  running: boolean
  /** The server has been asked to stop the answer: pressing again does not wait for it. */
  stopping: boolean
  onSend: (prompt: string) => void
  onStop: () => void
}

export function Composer({ running, stopping, onSend, onStop }: Props) {
  const [draft, setDraft] = useState('')
  const ready = !running && draft.trim() !== ''

  const send = () => {
    if (!ready) return
    onSend(draft.trim())
    setDraft('')
  }
  const key = (event: KeyboardEvent) => {
    // Enter also confirms a word in an input method.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    send()
  }

  return (
    <form className="flex items-end gap-2" onSubmit={submit}>
      <label htmlFor="message" className="sr-only">
        Message
      </label>
      <textarea
        id="message"
        className="field field-sizing-content max-h-48 min-h-10 resize-none"
        rows={1}
        placeholder="Ask something"
        value={draft}
        maxLength={16_000}
        onChange={event => setDraft(event.target.value)}
        onKeyDown={key}
      />
      {/* Two keys: one element that became the submit button during its click would send the draft. */}
      {running ? (
        <button key="stop" type="button" className="button h-10 w-20" onClick={onStop}>
          {stopping ? 'Stop now' : 'Stop'}
        </button>
      ) : (
        <button key="send" type="submit" className="button-primary h-10 w-20" disabled={!ready}>
          Send
        </button>
      )}
    </form>
  )
}
