/** Sets the colours before the page is drawn; what they are chosen by stands in main.ts. */
(() => {
  try {
    const chosen = localStorage.getItem('fit-check.theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is off: the system's colours are as good.
  }
})();
