/**
 * Splits an answer into blocks that no later text can change, and the last one, which is still growing. Between blocks
 * there is a blank line that is not inside a fenced code block.
 */
export function blocks(text: string): { finished: string[]; growing: string } {
  const finished: string[] = []
  let fence: string | undefined
  let begin = 0
  let offset = 0
  for (const line of text.split(/(?<=\n)/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence === undefined) {
      if (mark) fence = mark
    } else if (mark && mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark) {
      fence = undefined
    }
    offset += line.length
    const blank = line.trim() === '' && line.endsWith('\n')
    if (blank && fence === undefined && !continues(text, begin, offset)) {
      if (text.slice(begin, offset).trim() !== '') finished.push(text.slice(begin, offset))
      begin = offset
    }
  }
  return { finished, growing: text.slice(begin) }
}

/**
 * Whether a list goes on after a blank line: cutting it there would begin its numbering anew. Until the next line has
 * begun nobody knows, so a list stays open.
 */
function continues(text: string, begin: number, offset: number): boolean {
  const item = /^ {0,3}([-*+]|\d{1,9}[.)])\s/
  if (!item.test(text.slice(begin))) return false
  const next = text.slice(offset)
  const perhaps = /^\s*([-*+]|\d{1,9}[.)]?)?$/
  return perhaps.test(next) || item.test(next) || /^\s{2,}\S/.test(next)
}
