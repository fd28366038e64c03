/** The same service in every form that a service of this kind is run in, over the library as it is published. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import { compilePackage } from '../compiled-package.ts';

const require = createRequire(import.meta.url);

/** How a service is run. */
export type Form = 'ESM' | 'CommonJS' | 'a bundle to ESM' | 'a bundle to CommonJS' | 'tsx';

export const FORMS: readonly Form[] = ['ESM', 'CommonJS', 'a bundle to ESM', 'a bundle to CommonJS', 'tsx'];

export interface Forms {
  readonly folder: string;
  /** What Node.js is to be given. */
  argsOf(form: Form): readonly string[];
  remove(): void;
}

/** Writes a service, which is one source, in all its forms. */
export async function writeForms(source: URL): Promise<Forms> {
  const { folder, remove } = await compilePackage();
  try {
    await writeAll(source, folder);
  } catch (error) {
    remove();
    throw error;
  }
  const files: Readonly<Record<Form, readonly string[]>> = {
    ESM: ['service.mjs'],
    CommonJS: ['service.cjs'],
    'a bundle to ESM': ['bundle.mjs'],
    'a bundle to CommonJS': ['bundle.cjs'],
    tsx: [require.resolve('tsx/cli'), 'service.ts'],
  };
  return { folder, remove, argsOf: (form) => files[form] };
}

async function writeAll(source: URL, folder: string): Promise<void> {
  const entry = join(folder, 'service.ts');
  copyFileSync(source, entry);
  const code = readFileSync(entry, 'utf8');
  for (const format of ['esm', 'cjs'] as const) {
    const made = await transform(code, { loader: 'ts', format, platform: 'node', target: 'node20' });
    writeFileSync(join(folder, format === 'esm' ? 'service.mjs' : 'service.cjs'), made.code);
    await bundle(entry, format, folder);
  }
}

/** Everything in one file, dependencies too; what is left out is native, and optional for the package that asks for it. */
async function bundle(entry: string, format: 'esm' | 'cjs', folder: string): Promise<void> {
  const { warnings } = await build({
    entryPoints: [entry],
    outfile: join(folder, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format,
    external: ['pg-native'],
    logLevel: 'silent',
    // CommonJS packages in it ask for Node's own modules by `require`, which ESM does not have.
    ...(format === 'esm' && {
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    }),
  });
  // Such as `import.meta`, which is empty in CommonJS: who bundles the library would have to read them.
  if (warnings.length > 0) throw new Error(`esbuild warns: ${warnings.map(({ text }) => text).join('; ')}`);
}
