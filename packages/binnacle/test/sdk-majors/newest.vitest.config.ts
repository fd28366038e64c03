/** Runs tests with packages from another folder than the repository's, which the environment names. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const { SDK_FOLDER = '', SDK_PACKAGES = '' } = process.env;
const packages = SDK_PACKAGES.split(' ');

export default defineConfig({
  root: fileURLToPath(new URL('../../../../', import.meta.url)),
  plugins: [
    {
      name: 'newest-sdk',
      enforce: 'pre',
      async resolveId(id) {
        if (!packages.some((name) => id === name || id.startsWith(`${name}/`))) return null;
        const found = await this.resolve(id, join(SDK_FOLDER, 'package.json'), { skipSelf: true });
        // Else the older one would be tested in its place.
        if (!found?.id.startsWith(SDK_FOLDER)) throw new Error(`${id} is not in ${SDK_FOLDER}`);
        return found;
      },
    },
  ],
  test: { testTimeout: 30_000 },
});
