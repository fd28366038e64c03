/** Reads the service's own scrape. */

/** Samples by `name{labels}`, as written. */
export async function scrape(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    samples.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return samples;
}

/** The value of one series. */
export async function value(url: string, series: string): Promise<number | undefined> {
  return (await scrape(url)).get(series);
}
