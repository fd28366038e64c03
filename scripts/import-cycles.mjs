/**
 * @template {{ from: string, to: string | undefined }} Edge
 * @param {readonly Edge[]} edges
 * @returns {Edge[][]} a shortest circle for each file that lies on one, unless a circle told before holds that file
 */
export function findCycles(edges) {
  const told = new Set();
  const cycles = [];
  for (const start of new Set(edges.map(({ from }) => from))) {
    if (told.has(start)) continue;
    const cycle = shortestRound(edges, start);
    if (cycle === undefined) continue;
    for (const { from } of cycle) told.add(from);
    cycles.push(cycle);
  }
  return cycles;
}

/**
 * @template {{ from: string, to: string | undefined }} Edge
 * @param {readonly Edge[]} edges
 * @param {string} start
 * @returns {Edge[] | undefined} the shortest way from a file back to itself
 */
function shortestRound(edges, start) {
  /** @type {{ at: string, way: Edge[] }[]} */
  const open = [{ at: start, way: [] }];
  const seen = new Set();
  for (const { at, way } of open) {
    for (const edge of edges) {
      if (edge.from !== at || edge.to === undefined) continue;
      if (edge.to === start) return [...way, edge];
      if (seen.has(edge.to)) continue;
      seen.add(edge.to);
      open.push({ at: edge.to, way: [...way, edge] });
    }
  }
  return undefined;
}
