// Read by old versions of Node.js too, so that they can say what is missing: keep its syntax old.

/**
 * One line of advice, or undefined where this Node.js is new enough.
 * @param {string} version as `process.versions.node` gives it
 */
export function nodeVersionTrouble(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return undefined;
  return `This needs Node.js 20.19 or newer and runs on ${version}: install a newer one and start again.`;
}

/** Ends the process with that line where Node.js is too old. */
export function requireNodeVersion() {
  const trouble = nodeVersionTrouble(process.versions.node);
  if (trouble === undefined) return;
  console.error(trouble);
  process.exit(1);
}
