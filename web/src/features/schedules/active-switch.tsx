interface ActiveSwitchProps {
  /** Of what it is, such as `shop/nightly`. */
  name: string
  active: boolean
  pending: boolean
  onToggle: () => void
}

/** Whether something starts runs. */
export function ActiveSwitch({ name, active, pending, onToggle }: ActiveSwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={active}
      aria-label={`${name} is active`}
      disabled={pending}
      onClick={onToggle}
      className={`inline-flex h-6 w-10 items-center rounded-full border p-0.5 transition-colors ${active ? 'border-accent bg-accent' : 'border-edge bg-sunken'}`}
    >
      <span
        aria-hidden
        className={`size-4 rounded-full transition-transform ${active ? 'translate-x-4 bg-accent-ink' : 'bg-soft'}`}
      />
    </button>
  )
}
