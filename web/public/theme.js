// Runs before the first paint, so that a chosen theme does not flash the other one. A file and not an inline script: pages
// may be served with a content security policy that allows none.
try {
  const theme = localStorage.getItem('millrace.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage is refused: the system's preference holds.
}
