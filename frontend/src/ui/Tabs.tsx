import { type KeyboardEvent, type ReactNode, useRef } from 'react'

interface Props<Id extends string> {
  label: string
  tabs: readonly { id: Id; content: ReactNode }[]
  selected: Id
  onSelect: (id: Id) => void
  className?: string
  tabClassName?: string
}

export const tabId = (id: string) => `tab-${id}`
export const panelId = (id: string) => `panel-${id}`

/** Tabs by the ARIA pattern: one stop for the Tab key, arrows move and select. */
export function Tabs<Id extends string>({ label, tabs, selected, onSelect, className, tabClassName }: Props<Id>) {
  const list = useRef<HTMLDivElement>(null)

  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ id }) => id === selected)
    const last = tabs.length - 1
    const next = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key]
    const tab = next === undefined ? undefined : tabs[next]
    if (!tab) return
    event.preventDefault()
    onSelect(tab.id)
    list.current?.querySelector<HTMLElement>(`#${tabId(tab.id)}`)?.focus()
  }

  return (
    <div ref={list} role="tablist" aria-label={label} className={className} onKeyDown={move}>
      {tabs.map(({ id, content }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={tabId(id)}
          aria-selected={id === selected}
          aria-controls={panelId(id)}
          tabIndex={id === selected ? 0 : -1}
          className={tabClassName}
          onClick={() => onSelect(id)}
        >
          {content}
        </button>
      ))}
    </div>
  )
}
