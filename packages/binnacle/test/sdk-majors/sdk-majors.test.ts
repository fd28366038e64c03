/** What holds for the majors of the SDKs that are dependencies holds for the others that are accepted. */
import { describe, expect, it } from 'vitest';
import { findNode } from '../runtimes/nodes.ts';
import { installMajor, MAJORS, manifestOf, runTests, titleOf } from './majors.ts';

const nodes = { 20: await findNode(20), 22: await findNode(22) };

describe.each(MAJORS)('$packages', (major) => {
  const node = nodes[major.node];
  it(`holds for ${titleOf(major)} on Node.js ${major.node}`, { timeout: 300_000 }, async ({ skip }) => {
    if (!('path' in node)) return skip(node.missing);
    const installed = await installMajor(major);
    if ('missing' in installed) return skip(installed.missing);
    const { version, engines } = manifestOf(major, installed.folder);
    expect(version.split('.')[0]).toBe(Object.values(major.packages)[0]);
    if (major.node === 22) expect(engines?.node).toMatch(/^>=22/);
    const { passed, failed } = await runTests(node.path, major, installed.folder);
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(0);
  });
});
