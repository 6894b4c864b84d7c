import type { ComponentProps, ReactNode } from 'react'

const base =
  'inline-flex items-center justify-center gap-1.5 rounded-sm border text-sm font-medium whitespace-nowrap select-none transition-colors disabled:opacity-55 aria-disabled:opacity-55'
const looks = {
  solid: 'border-accent bg-accent text-accent-ink hover:brightness-110 active:brightness-95',
  plain: 'border-edge bg-raised text-ink hover:border-accent hover:bg-accent-wash',
  quiet: 'border-transparent bg-transparent text-soft hover:bg-accent-wash hover:text-ink',
  danger: 'border-faulted bg-raised text-faulted hover:bg-faulted hover:text-bg',
}
const sizes = { md: 'h-8 px-3', sm: 'h-7 px-2.5' }

export type ButtonProps = ComponentProps<'button'> & { look?: keyof typeof looks; size?: keyof typeof sizes }

export function Button({ look = 'plain', size = 'md', className = '', type = 'button', ...rest }: ButtonProps) {
  return <button type={type} className={`${base} ${looks[look]} ${sizes[size]} ${className}`} {...rest} />
}

/** The classes of a button for a link that looks like one. */
export function buttonClass(look: keyof typeof looks = 'plain', size: keyof typeof sizes = 'md'): string {
  return `${base} ${looks[look]} ${sizes[size]}`
}

/** A button whose only content is an icon: the label is its name and its tooltip. */
export function IconButton({
  label,
  children,
  className = '',
  ...rest
}: ButtonProps & { label: string; children: ReactNode }) {
  return (
    <Button look="quiet" aria-label={label} title={label} className={`size-7 !px-0 ${className}`} {...rest}>
      {children}
    </Button>
  )
}
