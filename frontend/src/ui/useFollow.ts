import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react'

/** Near enough to the end to mean it: half a line of rounding and touch. */
const SLACK = 24

/** Keeps a scrolling region at its end while it grows, until its reader scrolls away. */
export function useFollow(region: RefObject<HTMLElement | null>, grown: unknown) {
  const following = useRef(true)
  const top = useRef(0)
  const [atEnd, setAtEnd] = useState(true)

  const follow = useCallback(() => {
    const element = region.current
    if (element && following.current) element.scrollTop = element.scrollHeight
  }, [region])

  // biome-ignore lint/correctness/useExhaustiveDependencies: what has grown is the reason to look, not an input
  useLayoutEffect(follow, [follow, grown])

  const onScroll = () => {
    const element = region.current
    if (!element) return
    // The region may have grown since it was scrolled to its end: only going up means that the reader has left it.
    if (element.scrollHeight - element.scrollTop - element.clientHeight < SLACK) following.current = true
    else if (element.scrollTop < top.current) following.current = false
    top.current = element.scrollTop
    setAtEnd(following.current)
  }

  const jumpToEnd = () => {
    following.current = true
    setAtEnd(true)
    follow()
  }

  return { atEnd, onScroll, jumpToEnd, follow }
}
