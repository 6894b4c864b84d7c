/** The wheel in the race. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} aria-hidden fill="none" strokeLinecap="round" strokeWidth="1.7">
      <g stroke="var(--accent)">
        <circle cx="12" cy="9.6" r="5" />
        <path d="M12 2.2v3.6M12 13.4V17M4.6 9.6h3.6M15.8 9.6h3.6M6.8 4.4l2.5 2.5M14.7 12.3l2.5 2.5M17.2 4.4l-2.5 2.5M9.3 12.3l-2.5 2.5" />
      </g>
      <path d="M2.5 20.2c1.6-1.4 3.2-1.4 4.75 0s3.2 1.4 4.75 0 3.2-1.4 4.75 0 3.2 1.4 4.75 0" stroke="var(--waiting)" />
    </svg>
  )
}
