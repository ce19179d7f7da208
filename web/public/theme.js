// Before the first paint, so that a dark page never flashes white.
try {
  const theme = localStorage.getItem('wave.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's choice holds.
}
