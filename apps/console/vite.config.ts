import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

/** What is in the page beside our own code, and the file of its licence. */
const TAKEN = [
  ['preact', 'preact/LICENSE'],
  ['uPlot', 'uplot/LICENSE'],
  ['Geist', '@fontsource-variable/geist/LICENSE'],
] as const;

/** Their licences ask to go wherever they go. */
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle() {
      const source = TAKEN.map(([name, path]) => `${name}\n\n${readFileSync(packageFile(path), 'utf8').trim()}\n`);
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: source.join('\n\n') });
    },
  };
}

function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
}

/** Nothing is drawn before the script has set the reader's colours. */
function blockRendering(): Plugin {
  return {
    name: 'block-rendering',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('page', import.meta.url)),
  // The console may stand below any path.
  base: './',
  publicDir: false,
  plugins: [licences(), blockRendering()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    // Browsers that know `light-dark()`, container queries and nested rules: since May 2024.
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // The policy allows no data but images, and each file has a name by its content.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    emptyOutDir: true,
  },
});
