/**
 * The route's template as a router of Express's kind goes through its layers: mount paths and the route's own, with the
 * names of parameters in place of their values. Such a router tells by assigning to the request: `params` for each layer
 * that matches, `route` and `baseUrl` before it.
 */

/** A request of such a router. */
export interface RoutedRequest {
  baseUrl?: string | undefined;
  route?: { readonly path: unknown } | undefined;
  params?: unknown;
}

interface Level {
  /** The path that the mounts matched. */
  readonly base: string;
  readonly template: string;
}

/** What a layer matched, and its pattern where the router tells it. */
interface Layer {
  readonly params: unknown;
  readonly pattern: unknown;
}

/** From 2.3 on (Express 5.3), the router keeps each layer's pattern at a symbol of this name. */
const MATCHED = 'router.tracing.matchedRoute';
/** How many prefixes are told apart: what an older router's mount by a regular expression matches has no end. */
const MAX_PREFIXES = 200;
const OTHER = '*';

/** Calls back with the template, and the route's own part of it, as each route of a request matches. */
export type TrackRoute = (req: RoutedRequest, onRoute: (template: string, own: string) => void) => void;

export function createRouteTracker(): TrackRoute {
  const prefixes = new Map<string, string>();
  let symbol: symbol | false | undefined;
  const patternOf = (req: object): unknown => {
    // The first layer of all tells which router it is.
    symbol ??= Object.getOwnPropertySymbols(req).find(({ description }) => description === MATCHED) ?? false;
    return symbol === false ? undefined : (req as Record<symbol, unknown>)[symbol];
  };
  return (req, onRoute) => {
    let { params, route } = req;
    let pending: Layer = { params: undefined, pattern: undefined };
    // Who asks below a mount does not know how that was written.
    const levels: Level[] = [{ base: req.baseUrl ?? '', template: req.baseUrl ? `/${OTHER}` : '' }];
    const follow = (base: string): string => {
      while (levels.length > 1 && !isBelow(base, topOf(levels).base)) levels.pop();
      const { base: above, template } = topOf(levels);
      if (base.length <= above.length) return template;
      const mounted = template + mountTemplate(base.slice(above.length), pending, prefixes);
      levels.push({ base, template: mounted });
      return mounted;
    };
    Object.defineProperty(req, 'params', {
      configurable: true,
      enumerable: true,
      get: () => params,
      set(next: unknown) {
        params = next;
        const mounts = follow(req.baseUrl ?? '');
        const pattern = patternOf(req);
        if (req.route === undefined || req.route === route) {
          pending = { params: next, pattern };
          return;
        }
        route = req.route;
        const { path } = req.route;
        const own = textOf(Array.isArray(path) && path.includes(pattern) ? pattern : path);
        onRoute(joined(mounts, own), own);
      },
    });
  };
}

function topOf(levels: readonly Level[]): Level {
  return levels.at(-1) as Level;
}

function isBelow(base: string, above: string): boolean {
  return base.startsWith(above) && (base.length === above.length || base[above.length] === '/' || above === '');
}

/** A mount's part of the template: its pattern, or the text it matched with what its parameters hold named. */
function mountTemplate(text: string, { params, pattern }: Layer, prefixes: Map<string, string>): string {
  if (pattern !== undefined) return withSlash(textOf(pattern).replace(/\/+$/, ''));
  const values = Object.entries((params ?? {}) as Record<string, unknown>).reverse();
  return boundedBy(
    prefixes,
    values.reduce((template, [name, value]) => withName(template, name, value), decoded(text)),
  );
}

/** A prefix that is in use, in the letters it was first seen with: a mount matches them in any case. */
function boundedBy(prefixes: Map<string, string>, prefix: string): string {
  const key = prefix.toLowerCase();
  const known = prefixes.get(key);
  if (known !== undefined) return known;
  if (prefixes.size >= MAX_PREFIXES) return `/${OTHER}`;
  prefixes.set(key, prefix);
  return prefix;
}

/** The last part that is the value, as a whole if there is such a part, becomes the name. */
function withName(template: string, name: string, value: unknown): string {
  const text = Array.isArray(value) ? value.join('/') : value;
  if (typeof text !== 'string' || text === '') return template;
  const atEnd = template.endsWith(`/${text}`) ? template.length - text.length - 1 : -1;
  const whole = Math.max(atEnd, template.lastIndexOf(`/${text}/`));
  const at = whole >= 0 ? whole + 1 : template.lastIndexOf(text);
  return at < 0 || template[at - 1] === ':'
    ? template
    : `${template.slice(0, at)}:${name}${template.slice(at + text.length)}`;
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A path, a regular expression's source, or several of either: those of one route stand for one. */
function textOf(pattern: unknown): string {
  if (Array.isArray(pattern)) return pattern.map(textOf).join('|');
  return pattern instanceof RegExp ? String(pattern) : String(pattern ?? '');
}

function joined(mounts: string, own: string): string {
  if (mounts === '') return own;
  return own === '/' || own === '' ? mounts : mounts + withSlash(own);
}

function withSlash(path: string): string {
  return path === '' || path.startsWith('/') ? path : `/${path}`;
}
