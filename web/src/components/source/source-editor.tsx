import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { EditorState } from '@codemirror/state'
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { useEffect, useRef } from 'react'
import type { LineMarker } from './source-model'

interface SourceEditorProps {
  language: 'yaml' | 'json'
  initial: string
  label: string
  onChange: (text: string) => void
  markers: readonly LineMarker[]
  /** A place to go to; `nonce` makes the same place jump again. */
  jump?: { line: number; column: number; nonce: number } | undefined
  invalid?: boolean
}

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '12px', backgroundColor: 'var(--raised)', color: 'var(--ink)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '20px' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--soft)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in oklab, var(--accent) 7%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent-wash)',
  },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--edge)', color: 'var(--ink)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--faulted)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--waiting)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--faulted)' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--waiting)' },
})

const expression = new MatchDecorator({
  regexp: /\$\{[^}]*\}?/g,
  decoration: Decoration.mark({ class: 'tok-expression' }),
})

/** Runtime expressions stand out inside their texts. */
const expressions = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = expression.createDeco(view)
    }
    update(update: ViewUpdate) {
      this.decorations = expression.updateDeco(update, this.decorations)
    }
  },
  { decorations: plugin => plugin.decorations },
)

/** The editor of a document. Tab indents; Escape, then Tab, leaves (said in its description, WCAG 2.1.2). */
export default function SourceEditor({
  language,
  initial,
  label,
  onChange,
  markers,
  jump,
  invalid = false,
}: SourceEditorProps) {
  const parent = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const changed = useRef(onChange)
  useEffect(() => {
    changed.current = onChange
  }, [onChange])

  useEffect(() => {
    const editor = new EditorView({
      parent: parent.current!,
      state: EditorState.create({
        doc: initial,
        extensions: [
          lineNumbers(),
          lintGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          indentUnit.of('  '),
          language === 'yaml' ? yaml() : json(),
          syntaxHighlighting(classHighlighter),
          expressions,
          keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap, indentWithTab]),
          EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorView.updateListener.of(update => {
            if (update.docChanged) changed.current(update.state.doc.toString())
          }),
          look,
        ],
      }),
    })
    view.current = editor
    return () => editor.destroy()
    // The text belongs to the editor once it stands: `initial` is read once.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [language, label])

  useEffect(() => {
    const editor = view.current
    if (editor)
      editor.dispatch(
        setDiagnostics(
          editor.state,
          markers.map(m => toDiagnostic(editor.state, m)),
        ),
      )
  }, [markers])

  useEffect(() => {
    const editor = view.current
    if (!editor || !jump) return
    const { from } = placeOf(editor.state, jump.line, jump.column)
    editor.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
    editor.focus()
  }, [jump])

  return <div ref={parent} aria-invalid={invalid} className="h-full min-h-0 overflow-hidden" />
}

function placeOf(state: EditorState, line: number, column: number) {
  const text = state.doc.line(Math.min(Math.max(1, line), state.doc.lines))
  const from = Math.min(text.from + Math.max(0, column - 1), text.to)
  const word = /^[\w$.-]+/.exec(text.text.slice(from - text.from))
  return { from, to: word ? from + word[0].length : text.to }
}

function toDiagnostic(state: EditorState, marker: LineMarker) {
  const severity = marker.severity === 'note' ? ('info' as const) : marker.severity
  const message = marker.hint ? `${marker.message} ${marker.hint}` : marker.message
  return { ...placeOf(state, marker.line, marker.column ?? 1), severity, message }
}
