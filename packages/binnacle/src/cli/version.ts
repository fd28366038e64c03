/** Versions of packages, as far as a least version asks for: https://semver.org/#spec-item-11 */

interface Version {
  readonly numbers: readonly number[];
  readonly isPrerelease: boolean;
}

/** True where `version` is `least` or later; undefined where it is no version. A prerelease of `least` is earlier. */
export function isAtLeast(version: string, least: string): boolean | undefined {
  const given = parse(version);
  const wanted = parse(least);
  if (given === undefined || wanted === undefined) return undefined;
  for (const [at, number] of given.numbers.entries()) {
    const other = wanted.numbers[at] ?? 0;
    if (number !== other) return number > other;
  }
  return !given.isPrerelease || wanted.isPrerelease;
}

function parse(text: string): Version | undefined {
  const match = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(-[\w.-]+)?(\+[\w.-]+)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease] = match;
  return { numbers: [Number(major), Number(minor), Number(patch)], isPrerelease: prerelease !== undefined };
}
