import { expect, test } from 'vitest';
import { createRouteTracker, type RoutedRequest, type TrackRoute } from './mounted-route.ts';

/** One layer that a router goes into: a mount with what it matched, or the route at the end. */
interface Step {
  readonly base: string;
  readonly params?: Record<string, unknown>;
  readonly route?: unknown;
}

/** Assigns to a request as Express's router does while it goes through its layers; gives what was told. */
function walk(track: TrackRoute, steps: readonly Step[], pattern?: readonly unknown[]): string[] {
  const told: string[] = [];
  const matched = Symbol('router.tracing.matchedRoute');
  const req: RoutedRequest & Record<symbol, unknown> = { baseUrl: '', params: {} };
  if (pattern !== undefined) req[matched] = '/';
  track(req, (template) => told.push(template));
  for (const [at, { base, params = {}, route }] of steps.entries()) {
    req.baseUrl = base;
    if (route !== undefined) req.route = { path: route };
    if (pattern !== undefined) req[matched] = pattern[at];
    req.params = params;
  }
  return told;
}

test('a route without mounts is its own path', () => {
  expect(walk(createRouteTracker(), [{ base: '', params: { id: '7' }, route: '/items/:id' }])).toEqual(['/items/:id']);
});

test.each([
  ['/t/acme', { tenant: 'acme' }, '/t/:tenant'],
  ['/t/o%27neill%20%C3%A9', { tenant: "o'neill é" }, '/t/:tenant'],
  ['/a%2Fb', { path: 'a/b' }, '/:path'],
  ['/t/t', { tenant: 't' }, '/t/:tenant'],
  ['/x/x', { a: 'x', b: 'x' }, '/:a/:b'],
  ['/v12', { 0: '12' }, '/v:0'],
  ['/files/a/b/c', { rest: ['a', 'b', 'c'] }, '/files/:rest'],
  ['/plain', { none: undefined, empty: '' }, '/plain'],
  ['/%zz', {}, '/%zz'],
])('a mount that matched %s with %j is %s', (base, params, template) => {
  const steps = [
    { base: '', params },
    { base, route: '/' },
  ];
  expect(walk(createRouteTracker(), steps)).toEqual([template]);
});

test('the pattern of a router that tells it stands, where the route has several paths too', () => {
  const steps = [
    { base: '', params: { tenant: 'acme' } },
    { base: '/t/acme', params: { id: '1' }, route: ['/a', '/b/:id'] },
  ];
  expect(walk(createRouteTracker(), steps, ['/t/:tenant', '/b/:id'])).toEqual(['/t/:tenant/b/:id']);
  // Left over from a layer of another copy of the router: none of this route's.
  expect(walk(createRouteTracker(), steps, ['/t/:tenant', '/t/:tenant'])).toEqual(['/t/:tenant/a|/b/:id']);
});

test('a router that was left does not stay in the template, nor does a name stand for another mount', () => {
  const steps = [
    { base: '', params: { a: 'x' } },
    { base: '/one/x', params: {} },
    { base: '', params: { b: 'x' } },
    { base: '/two/x', params: { id: '1' }, route: '/:id' },
    { base: '', params: {}, route: '/last' },
  ];
  expect(walk(createRouteTracker(), steps)).toEqual(['/two/:b/:id', '/last']);
});

test('who asks below a mount does not put its text into the template', () => {
  const told: string[] = [];
  const req: RoutedRequest = { baseUrl: '/t/secret', params: {} };
  createRouteTracker()(req, (template) => told.push(template));
  req.route = { path: '/x' };
  req.params = {};
  expect(told).toEqual(['/*/x']);
});

test('prefixes are told apart up to a limit, whatever the case they are asked in', () => {
  const track = createRouteTracker();
  const steps = (base: string): Step[] => [{ base: '' }, { base, route: '/x' }];
  for (let at = 0; at < 300; at += 1)
    expect(walk(track, steps(at % 2 === 0 ? '/Fixed' : '/fixed'))).toEqual(['/Fixed/x']);
  const told = new Set(Array.from({ length: 1000 }, (_, at) => walk(track, steps(`/any${at}`))[0]));
  expect(told.size).toBe(200);
  expect(told).toContain('/*/x');
});
